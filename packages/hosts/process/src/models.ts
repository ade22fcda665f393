// Models of a hub on this machine (ADR 86): one directory each, in the layout of huggingface_hub's cache. It is filled beside its place and renamed when it
// is whole; files that are finished stay for the next try. A worker gets a cache of its own with links to its models, so that it may add others.
import { createWriteStream, existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gigabytes, modelDirectory, modelVariables } from '@runyard/core'
import { onceAtATime } from '@runyard/kit'
import {
  systemCode,
  RunyardError,
  type HeldModel,
  type HostDriver,
  type ModelFile,
  type ModelPlacement,
  type WorkerLaunch,
} from '@runyard/schema'
import { removeAbandoned, removeTree } from './builds.ts'
import type { WorkerFiles } from './worker-files.ts'

/** Before the id of a model that is not whole. */
const PART = '.part-'
/** After the name of a file that is not whole; its process may be dead. */
const INCOMPLETE = '.incomplete'
const ABANDONED_AFTER_MS = 600_000

export interface ModelsOptions {
  readonly directory: string
  readonly files: Pick<WorkerFiles, 'list'>
}

export type Models = Required<Pick<HostDriver, 'placeModel' | 'models' | 'removeModel'>>

export function createModels({ directory, files }: ModelsOptions): Models {
  return {
    placeModel: onceAtATime(
      ({ id }) => id,
      (model: ModelPlacement) => place(directory, model),
    ),
    async models() {
      const names = await readdir(directory).catch(() => [])
      return Promise.all(names.map((name) => describe(directory, name)))
    },
    async removeModel(id) {
      if ((await files.list()).some((file) => file.modelIds?.includes(id) === true && file.exit === undefined)) return false
      await removeTree(join(directory, id))
      await removeTree(join(directory, `${PART}${id}`))
      return true
    },
  }
}

/** Makes the worker's cache in its scratch directory. Returns the environment that names it. */
export async function linkModels(launch: WorkerLaunch, { directory, scratch }: { readonly directory: string; readonly scratch: string }) {
  const { models = [], env } = launch
  if (models.length === 0) return env
  const cache = join(scratch, 'huggingface-cache', 'hub')
  await mkdir(cache, { recursive: true })
  for (const model of models) await unlessThere(symlink(join(directory, model.id), join(cache, modelDirectory(model))))
  return { ...modelVariables(models, cache), ...env }
}

async function place(directory: string, model: ModelPlacement): Promise<void> {
  const target = join(directory, model.id)
  if (existsSync(target)) return
  const part = join(directory, `${PART}${model.id}`)
  const { files, texts, links } = await model.open()
  await mkdir(part, { recursive: true, mode: 0o700 })
  await refuseFullDisk(part, files)
  for (const file of files) await writeOnce(join(part, file.path), file.open)
  for (const { path, text } of texts) {
    await mkdir(dirname(join(part, path)), { recursive: true })
    await writeFile(join(part, path), text)
  }
  for (const link of links) {
    await mkdir(dirname(join(part, link.path)), { recursive: true })
    await unlessThere(symlink(link.target, join(part, link.path)))
  }
  await chmod(part, 0o755)
  try {
    await rename(part, target)
  } catch (error) {
    // Another process was faster.
    if (!existsSync(target)) throw error
  }
}

/** Of full size under its name only when it is right. */
async function writeOnce(path: string, open: () => AsyncIterable<Uint8Array>): Promise<void> {
  if (existsSync(path)) return
  await mkdir(dirname(path), { recursive: true })
  const incompletes = (await readdir(dirname(path))).filter((name) => name.endsWith(INCOMPLETE))
  await removeAbandoned(
    incompletes.map((name) => join(dirname(path), name)),
    ABANDONED_AFTER_MS,
  )
  const incomplete = `${path}.${randomBytes(4).toString('hex')}${INCOMPLETE}`
  try {
    await pipeline(open(), createWriteStream(incomplete, { mode: 0o444 }))
    await rename(incomplete, path)
  } finally {
    await rm(incomplete, { force: true })
  }
}

async function refuseFullDisk(part: string, files: readonly ModelFile[]): Promise<void> {
  const missing = files.filter(({ path }) => !existsSync(join(part, path)))
  const needed = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const { bavail, bsize } = await statfs(part)
  if (bavail * bsize > needed) return
  throw new RunyardError(
    'unprocessable',
    `The model is not fetched: ${gigabytes(bavail * bsize)} are free on the disk of ${dirname(part)}, and ${gigabytes(needed)} are missing.`,
    { fault: 'disk' },
  )
}

async function describe(directory: string, name: string): Promise<HeldModel> {
  const blobs = join(directory, name, 'blobs')
  const names = await readdir(blobs).catch(() => [])
  const sizes = await Promise.all(
    names.map((blob) =>
      stat(join(blobs, blob)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  const { mtimeMs } = await stat(join(directory, name)).catch(() => ({ mtimeMs: 0 }))
  return { id: name.replace(PART, ''), bytes: sizes.reduce((sum, size) => sum + size, 0), placedAt: mtimeMs }
}

async function unlessThere(made: Promise<void>): Promise<void> {
  try {
    await made
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
