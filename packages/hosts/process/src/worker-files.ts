// What the process host keeps on disk per worker: `<scratchDir>/<workerId>/worker.json` and its two logs. The files are the source of
// truth, so a restarted scaler observes the workers of the last one. Writes are atomic, by a rename.
import { mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { readFile, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogLine, ObservedWorker } from '@runyard/schema'

export interface WorkerFile {
  readonly instanceId: string
  readonly workerId: string
  readonly endpointId: string
  readonly specHash: string
  readonly gpuUuids: readonly string[]
  readonly buildId?: string
  readonly modelIds?: readonly string[]
  readonly pid: number
  /** From `lifeOf`: distinguishes this process from a later one with the same pid. */
  readonly life: string
  readonly startedAt: number
  readonly exit?: ObservedWorker['exit']
}

export const LOG_SOURCES = ['stdout', 'stderr'] as const
/** A larger log is emptied, because no other process rotates it. */
const MAX_LOG_BYTES = 16 * 2 ** 20

export type WorkerFiles = ReturnType<typeof createWorkerFiles>

export function createWorkerFiles({ scratchDir, instanceId }: { scratchDir: string; instanceId: string }) {
  const dirOf = (workerId: string): string => join(scratchDir, workerId)
  const logOf = (workerId: string, source: LogLine['source']): string => join(dirOf(workerId), `${source}.log`)

  async function read(workerId: string): Promise<WorkerFile | undefined> {
    const file = await readWorkerFile(dirOf(workerId))
    return file?.instanceId === instanceId ? file : undefined
  }

  return {
    dirOf,
    logOf,
    read,
    /** Creates the directory and opens both logs for appending. The caller closes them. */
    open(workerId: string): { stdout: number; stderr: number } {
      mkdirSync(dirOf(workerId), { recursive: true, mode: 0o700 })
      return { stdout: openSync(logOf(workerId, 'stdout'), 'a'), stderr: openSync(logOf(workerId, 'stderr'), 'a') }
    },
    write(file: WorkerFile) {
      const path = join(dirOf(file.workerId), 'worker.json')
      writeFileSync(`${path}.new`, JSON.stringify(file))
      renameSync(`${path}.new`, path)
    },
    /** Only workers of this instance. */
    async list(): Promise<readonly WorkerFile[]> {
      const names = await readdir(scratchDir).catch(() => [])
      return (await Promise.all(names.map(read))).filter((file) => file !== undefined)
    },
    remove: (workerId: string): Promise<void> => rm(dirOf(workerId), { recursive: true, force: true }),
    /** Empties logs that have grown too large. */
    async boundLogs(known: readonly WorkerFile[]): Promise<void> {
      await Promise.all(known.flatMap(({ workerId }) => LOG_SOURCES.map((source) => bound(logOf(workerId, source)))))
    },
  }
}

async function readWorkerFile(dir: string): Promise<WorkerFile | undefined> {
  const text = await readFile(join(dir, 'worker.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as WorkerFile)
}

/** Of every installation that ever had this directory. */
export async function listWorkerFiles(scratchDir: string): Promise<readonly { readonly dir: string; readonly file: WorkerFile }[]> {
  const dirs = (await readdir(scratchDir).catch(() => [])).map((name) => join(scratchDir, name))
  const found = await Promise.all(dirs.map(async (dir) => ({ dir, file: await readWorkerFile(dir) })))
  return found.flatMap(({ dir, file }) => (file === undefined ? [] : [{ dir, file }]))
}

async function bound(path: string): Promise<void> {
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  )
  if (size > MAX_LOG_BYTES) await truncate(path)
}
