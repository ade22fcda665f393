// Blobs as files under one directory. A blob is written to a temporary file, synced and renamed, so that a crash leaves either all of it or
// nothing. A folder is created with its first blob and removed with its last. Any number of processes may share the directory.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { systemCode, RunyardError, type BlobReader, type BlobStore, type ByteRange } from '@runyard/schema'
import { measure } from './measure.ts'
import { checkName, toWholeRange } from './names.ts'

/** Names of blobs never begin with a dot, so no file in this folder can be a blob. */
const INCOMING = '.incoming'
const LEFTOVER_AFTER_MS = 24 * 60 * 60 * 1000
const READ_AT_ONCE = 256 * 1024
const MAX_TRIES = 20
const RETRY_AFTER_S = 5

interface Place {
  readonly root: string
  readonly incoming: string
}
/** Node's recursive mkdir never returns where a directory that exists refuses with ENOENT, as /proc does. */
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return
  if (!existsSync(dirname(path))) await makeDirectory(dirname(path))
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** @throws RunyardError('store_unavailable') if the directory cannot be created. */
export async function openDirectoryBlobStore(directory: string): Promise<BlobStore> {
  const root = resolve(directory)
  const place = { root, incoming: join(root, INCOMING) }
  const pathOf = (name: string): string => join(root, checkName(name))
  await translated(root, () => makeDirectory(place.incoming))
  return {
    put: async (name, bytes) => arrive(place, pathOf(name), [bytes]),

    async get(name) {
      const path = pathOf(name)
      return translated(root, () => readFile(path).catch(undefinedIfNoFile))
    },

    async write(name, source, limits) {
      const measured = measure(source, limits)
      await arrive(place, pathOf(name), measured.bytes)
      return measured.digest()
    },

    read: async (name, range) => openReader(root, pathOf(name), range),

    async stat(name) {
      const path = pathOf(name)
      const found = await translated(root, () => stat(path).catch(undefinedIfMissing))
      return found?.isFile() === true ? { size: found.size, writtenAt: found.mtimeMs } : undefined
    },

    async delete(names) {
      const paths = names.map(pathOf)
      await translated(root, async () => {
        for (const path of paths) {
          await rm(path, { force: true })
          await removeEmptyFolders(path, root)
        }
      })
    },

    async *list(folder) {
      const top = pathOf(folder)
      const entries = await translated(root, () => readdir(top, { recursive: true, withFileTypes: true }).catch(undefinedIfMissing))
      for (const entry of entries ?? []) {
        if (entry.isFile()) yield relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/')
      }
    },

    // All folders share the temporary files, so this removes those of every folder. No write pauses for a day.
    async removeLeftovers(folder, now) {
      checkName(folder)
      return translated(root, () => removeLeftovers(place.incoming, now))
    },
  }
}

/** Errors of the source are not translated, because they do not concern the directory. */
async function arrive({ root, incoming }: Place, path: string, chunks: Chunks): Promise<void> {
  const temporary = join(incoming, randomUUID())
  try {
    await writeDurably({ root, path: temporary }, chunks)
    await translated(root, () => moveInto(temporary, path))
  } catch (error) {
    await translated(root, () => rm(temporary, { force: true }))
    throw error
  }
  await translated(root, () => syncFolders(path, root))
}

async function writeDurably({ root, path }: { root: string; path: string }, chunks: Chunks): Promise<void> {
  await using file = await translated(root, () => open(path, 'wx', 0o600))
  // Each call continues at the current position of the file.
  for await (const chunk of chunks) await translated(root, () => file.writeFile(chunk))
  await translated(root, () => file.sync())
}

async function openReader(root: string, path: string, wanted: ByteRange | undefined): Promise<BlobReader | undefined> {
  const file = await translated(root, () => open(path).catch(undefinedIfNoFile))
  if (file === undefined) return undefined
  try {
    const found = await translated(root, () => file.stat())
    if (!found.isFile()) {
      await file.close()
      return undefined
    }
    const range = toWholeRange(wanted, found.size)
    const bytes = chunksOf(root, file, range)
    return { size: found.size, range, bytes, [Symbol.asyncDispose]: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Closes the file at the end. */
async function* chunksOf(root: string, file: FileHandle, { from, to }: Required<ByteRange>): AsyncGenerator<Uint8Array> {
  try {
    for (let at = from; at < to;) {
      const length = Math.min(READ_AT_ONCE, to - at)
      const { bytesRead, buffer } = await translated(root, () => file.read({ buffer: Buffer.allocUnsafe(length), position: at }))
      if (bytesRead === 0) throw unavailable(root, 'a file in it became shorter', undefined)
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Deleting a folder's last blob may remove the folder between its creation here and the rename; then it is created again. */
async function moveInto(temporary: string, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      return await rename(temporary, path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries === MAX_TRIES) throw error
    }
  }
}

/** A file survives a power failure only if every folder above it is synced as well. */
async function syncFolders(path: string, root: string): Promise<void> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    await using handle = await open(folder)
    await handle.sync()
    if (folder === root) return
  }
}

async function removeEmptyFolders(path: string, root: string): Promise<void> {
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') continue
      if (systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST') return
      throw error
    }
  }
}

async function removeLeftovers(incoming: string, now: number): Promise<number> {
  let removed = 0
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name)
    const found = await stat(path).catch(undefinedIfMissing)
    if (found === undefined || now - found.mtimeMs <= LEFTOVER_AFTER_MS) continue
    await rm(path, { force: true })
    removed += 1
  }
  return removed
}

function undefinedIfMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}

function undefinedIfNoFile(error: unknown): undefined {
  if (systemCode(error) !== 'EISDIR') undefinedIfMissing(error)
}

/** A system error means that the directory is unavailable; any other error is a bug. */
async function translated<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw unavailable(root, code === 'ENOSPC' || code === 'EDQUOT' ? 'its disk is full' : code, error)
  }
}

function unavailable(root: string, why: string, cause: unknown): RunyardError {
  const sentence = `The blob directory ${root} cannot be used right now: ${why}.`
  return new RunyardError('store_unavailable', sentence, { cause, retryAfterS: RETRY_AFTER_S })
}
