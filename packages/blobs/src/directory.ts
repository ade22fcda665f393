// Blobs as files under one directory. A blob is written beside its place, synced and renamed into it, so that a crash leaves the whole of it
// or nothing. Folders come with their first blob and go with their last. Any number of processes may share the directory.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { RunyardError, type BlobStore, type Bytes } from '@runyard/schema'
import { checkName } from './names.ts'

/** No name begins with a dot, so nothing here is ever taken for a blob. */
const INCOMING = '.incoming'
/** What a crash left in there; no write takes that long. */
const LEFTOVER_AFTER_MS = 60 * 60 * 1000
const MAX_TRIES = 20
const RETRY_AFTER_S = 5

/** @throws RunyardError('store_unavailable') when the directory cannot be made. */
export async function openDirectoryBlobStore(directory: string): Promise<BlobStore> {
  const root = resolve(directory)
  const incoming = join(root, INCOMING)
  const pathOf = (name: string): string => join(root, checkName(name))
  await translated(root, async () => {
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    await removeLeftovers(incoming)
  })
  return {
    async put(name, bytes) {
      const path = pathOf(name)
      const temporary = join(incoming, randomUUID())
      await translated(root, async () => {
        try {
          await writeDurably(temporary, bytes)
          await moveInto(temporary, path)
        } catch (error) {
          await rm(temporary, { force: true })
          throw error
        }
        await syncFolders(path, root)
      })
    },

    async get(name) {
      const path = pathOf(name)
      return translated(root, () => readFile(path).catch(undefinedIfNoFile))
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
  }
}

async function writeDurably(path: string, bytes: Bytes): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(bytes)
  await file.sync()
}

/** Somebody who deletes the last blob of a folder may remove it between our making it and our moving into it: then it is made again. */
async function moveInto(temporary: string, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      return await rename(temporary, path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === MAX_TRIES) throw error
    }
  }
}

/** A file is there after a power cut only if each folder above it knows of the next. */
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
      if (codeOf(error) === 'ENOENT') continue
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return
      throw error
    }
  }
}

async function removeLeftovers(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name)
    const found = await stat(path).catch(undefinedIfMissing)
    if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_AFTER_MS) await rm(path, { force: true })
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function undefinedIfMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}

function undefinedIfNoFile(error: unknown): undefined {
  if (codeOf(error) !== 'EISDIR') undefinedIfMissing(error)
}

/** Whatever the system refuses means that the place cannot serve now; anything else is a bug of ours. */
async function translated<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'its disk is full' : code
    const sentence = `The blob directory ${root} cannot be used right now: ${why}.`
    throw new RunyardError('store_unavailable', sentence, { cause: error, retryAfterS: RETRY_AFTER_S })
  }
}
