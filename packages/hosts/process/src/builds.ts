// The builds of deployed apps on this machine (ADR 65): each is a directory that is unpacked beside its place and renamed when it is whole, so that
// several processes may unpack it at the same time. Its files are read-only, which does not stop root. So each start compares it with its seal, and a
// changed copy is replaced by a new one.
import { createHash } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gigabytes } from '@runyard/core'
import { onceAtATime, readArchive } from '@runyard/kit'
import { RunyardError, systemCode, type BuildPlacement, type HostDriver } from '@runyard/schema'
import type { WorkerFiles } from './worker-files.ts'

/** What is left of an unpacking whose process was killed. */
const ABANDONED_AFTER_MS = 3600_000
/** Beside builds, which begin with no dot. */
const PART = '.part-'
/** In a build: what its files were when they had been unpacked. */
const SEAL = '.runyard-seal'
/** Packages are packed to about a third of their size. */
const UNPACKED_FACTOR = 4

export interface BuildsOptions {
  readonly directory: string
  readonly files: Pick<WorkerFiles, 'list'>
}

export type Builds = Required<Pick<HostDriver, 'placeBuild' | 'builds' | 'removeBuild'>>

export function createBuilds({ directory, files }: BuildsOptions): Builds {
  return {
    placeBuild: onceAtATime(
      ({ id }) => id,
      (build: BuildPlacement) => place(directory, build),
    ),
    async builds() {
      const names = await readdir(directory).catch(() => [])
      const parts = names.filter((name) => name.startsWith(PART))
      await removeAbandoned(
        parts.map((name) => join(directory, name)),
        ABANDONED_AFTER_MS,
      )
      return names.filter((name) => !name.startsWith(PART))
    },
    async removeBuild(id) {
      if ((await files.list()).some((file) => file.buildId === id && file.exit === undefined)) return false
      await removeTree(join(directory, id))
      return true
    },
  }
}

export async function removeTree(directory: string): Promise<void> {
  await makeWritable(directory).catch(() => undefined)
  await rm(directory, { recursive: true, force: true })
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name))
  }
}

/** Those that no process has written to for so long. */
export async function removeAbandoned(paths: readonly string[], afterMs: number): Promise<void> {
  for (const path of paths) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > afterMs) await removeTree(path)
  }
}

async function place(directory: string, build: BuildPlacement): Promise<void> {
  const target = join(directory, build.id)
  const again = await whyAgain(target)
  if (again === undefined) return
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await refuseFullDisk(directory, build)
  build.onProgress(`unpacking the app (${(build.sizeBytes / 1e6).toFixed(1)} MB)${again}`)
  const part = await mkdtemp(join(directory, PART))
  try {
    await unpack(await build.open(), part)
    if (again !== '') await setAside(target)
    await rename(part, target)
  } catch (error) {
    await removeTree(part)
    // Another process was faster.
    if (existsSync(target)) return
    throw error
  }
}

/** Workers that run in it keep it; it is removed as what is abandoned. */
async function setAside(target: string): Promise<void> {
  try {
    await utimes(target, new Date(), new Date())
    await rename(target, await mkdtemp(join(dirname(target), PART)))
  } catch (error) {
    // Another process replaces it, too.
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** Why the copy is replaced; empty where there is none, undefined where it is as it was unpacked. */
async function whyAgain(root: string): Promise<string | undefined> {
  if (!existsSync(root)) return ''
  const sealed = await readFile(join(root, SEAL), 'utf8').catch(() => undefined)
  if (sealed === undefined) return ' again: it has no seal, as copies of an older release'
  return sealed === (await sealOf(root).catch(() => undefined)) ? undefined : ' again: its files were changed'
}

/** Of all files. Each write to a file and each change of its mode sets its ctime, which no program can choose. */
async function sealOf(root: string): Promise<string> {
  const facts = await factsBelow(root, '')
  return createHash('sha256').update(facts.toSorted().join('\n')).digest('hex')
}

async function factsBelow(root: string, below: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  const facts = await Promise.all(
    entries.map(async (entry) => {
      const path = join(below, entry.name)
      if (path === SEAL) return []
      if (entry.isDirectory()) return [JSON.stringify([path]), ...(await factsBelow(root, path))]
      const { mode, size, ino, ctimeMs } = await lstat(join(root, path))
      return [JSON.stringify([path, mode, size, ino, ctimeMs])]
    }),
  )
  return facts.flat()
}

async function refuseFullDisk(directory: string, { sizeBytes }: BuildPlacement): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize > sizeBytes * UNPACKED_FACTOR) return
  const free = `${gigabytes(bavail * bsize)} are free on the disk of ${directory}`
  const sentence = `The app is not unpacked on this machine: ${free}, and its archive has ${gigabytes(sizeBytes)}.`
  throw new RunyardError('unprocessable', sentence, { fault: 'disk' })
}

async function unpack(archive: AsyncIterable<Uint8Array>, root: string): Promise<void> {
  const directories = new Set([root])
  const makeDirectory = async (path: string): Promise<void> => {
    if (directories.has(path)) return
    await makeDirectory(dirname(path))
    await mkdir(path, { recursive: true })
    directories.add(path)
  }
  for await (const { path, kind, isExecutable, content } of readArchive(archive)) {
    const target = join(root, path)
    await makeDirectory(kind === 'directory' ? target : dirname(target))
    if (kind === 'directory') continue
    // An archive may name a file twice; the last one counts.
    await rm(target, { force: true })
    await pipeline(content, createWriteStream(target, { mode: isExecutable ? 0o555 : 0o444 }))
  }
  for (const directory of directories) if (directory !== root) await chmod(directory, 0o555)
  await rm(join(root, SEAL), { force: true, recursive: true })
  await writeFile(join(root, SEAL), await sealOf(root), { mode: 0o444 })
  await chmod(root, 0o555)
}
