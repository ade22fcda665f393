// The installation that a process belongs to, stored in Redis and in its data directory. An emptied Redis gets it back, so that running workers
// are found again and their tokens stay valid. A Redis of another installation is rejected, because it does not know our workers.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Instance, RunyardError } from '@runyard/schema'
import type { Logger } from './logger.ts'
import { createDirs } from './paths.ts'
import { sentenceOf } from './run-main.ts'

/** Writes `own`, or a new one, if Redis has none; returns the installation that Redis has. */
type Claim = (own: Instance | undefined) => Promise<{ readonly instance: Instance; readonly isWritten: boolean }>

export interface InstallationOptions {
  readonly claim: Claim
  /** Absolute path. */
  readonly dataDir: string
  readonly log: Pick<Logger, 'warn'>
}

const EMPTIED = 'Redis had been emptied: the installation is in it again; endpoints, keys and jobs that it held are gone'

/** @throws RunyardError('conflict') with one sentence if Redis belongs to another installation than the data directory. */
export async function settleInstallation({ claim, dataDir, log }: InstallationOptions): Promise<Instance> {
  const own = await readOwn(dataDir)
  const { instance, isWritten } = await claim(own)
  if (own === undefined) {
    await writeOwn(dataDir, instance).catch((error: unknown) => {
      log.warn({ problem: sentenceOf(error) }, `the data directory ${dataDir} cannot keep which installation it belongs to`)
    })
    return instance
  }
  if (isWritten) log.warn({ instanceId: own.id }, EMPTIED)
  refuseOthers(own, instance, dataDir)
  return own
}

const LOOK_EVERY_MS = 5000

/** Restores it in a Redis that is emptied while the process runs. If the Redis was replaced by another installation's, the process ends. */
export function watchInstallation({
  own,
  onRestored,
  ...options
}: InstallationOptions & { readonly own: Instance; readonly onRestored: () => void }) {
  const { claim, dataDir, log } = options
  const check = async (): Promise<void> => {
    const claimed = await claim(own).catch((error: unknown) => {
      // Ends the process, for example for newer data. A check that Redis cannot answer now is repeated.
      if (error instanceof RunyardError && error.code === 'conflict') throw error
      return undefined
    })
    if (claimed === undefined) return
    refuseOthers(own, claimed.instance, dataDir)
    if (!claimed.isWritten) return
    log.warn({ instanceId: own.id }, EMPTIED)
    onRestored()
  }
  /** Checks now, e.g. after a lost connection. */
  const look = (): void => {
    // This process must not write anything to that Redis, so it ends like after a bug, with the sentence.
    check().catch((error: unknown) =>
      setImmediate(() => {
        throw error
      }),
    )
  }
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return { look, [Symbol.dispose]: () => clearInterval(timer) }
}

function refuseOthers(own: Instance, found: Instance, dataDir: string): void {
  if (found.id === own.id) return
  throw new RunyardError(
    'conflict',
    `The data directory ${dataDir} belongs to the installation ${own.id}, and this Redis to the installation ${found.id}: name its own Redis in redis.url or another directory with --data DIR; to let the directory join this Redis for good, delete ${fileIn(dataDir)}.`,
  )
}

/** The installation that a data directory belongs to; undefined before its first start. @throws RunyardError if the file is damaged. */
export async function readOwn(dataDir: string): Promise<Instance | undefined> {
  const path = fileIn(dataDir)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new RunyardError('bad_request', `${path} cannot be read (${error.code}): it says which installation the directory belongs to.`)
  })
  if (text === undefined) return undefined
  const parsed = Instance.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new RunyardError('bad_request', `${path} is damaged: delete it, and it is written again from Redis.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Gateway and scaler may both be the first; they write the same. */
async function writeOwn(dataDir: string, instance: Instance): Promise<void> {
  const path = fileIn(dataDir)
  const fresh = `${path}.${process.pid}`
  createDirs(dataDir)
  await writeFile(fresh, `${JSON.stringify(instance)}\n`, { mode: 0o600 })
  await rename(fresh, path)
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'instance')
}
