// Ends workers without asking them: those that an earlier installation left in our data directory, which no Redis knows any more, and all those of
// this installation. A pid may belong to another process by now, so each worker's file is checked before its process is killed.
import { rm, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lifeOf } from '@runyard/kit'
import { killMarked, signal } from './process-table.ts'
import { listWorkerFiles } from './worker-files.ts'
import { SCRATCH_VARIABLE } from './worker-surroundings.ts'

export interface OrphanSearch {
  readonly scratchDir: string
  /** The installation that the data directory belongs to now. */
  readonly instanceId: string
  readonly log: { warn(facts: object, message: string): void }
}

export async function endOrphans({ scratchDir, instanceId, log }: OrphanSearch): Promise<void> {
  for (const { dir, file } of await listWorkerFiles(scratchDir)) {
    if (file.instanceId === instanceId) continue
    log.warn(
      { workerId: file.workerId, formerInstanceId: file.instanceId },
      'ends a worker that an earlier installation left in this data directory',
    )
    // A pid alone may be somebody else's by now.
    if (file.pid > 1 && lifeOf(file.pid) === file.life) signal(-file.pid, 'SIGKILL')
    await killMarked(`${SCRATCH_VARIABLE}=${dir}`)
    await rm(dir, { recursive: true, force: true })
  }
}

/** Each worker leads a process group of its own. Its file lies in its own directory, so what stands there is checked before it is killed. */
export async function killWorkers({ scratchDir, instanceId }: { readonly scratchDir: string; readonly instanceId: string }): Promise<void> {
  const names = await readdir(scratchDir).catch(() => [])
  for (const name of names) {
    const text = await readFile(join(scratchDir, name, 'worker.json'), 'utf8').catch(() => '')
    const group = livingGroup(text, instanceId)
    if (group !== undefined) signal(-group, 'SIGKILL')
  }
}

/** The process group that a worker's file names, if its leader is the process that was started: to `kill`, -1 means all processes of the user. */
export function livingGroup(text: string, instanceId: string): number | undefined {
  const { pid, life, exit, instanceId: owner } = parseRecord(text)
  if (owner !== instanceId || exit !== undefined || typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined
  return typeof life === 'string' && lifeOf(pid) === life ? pid : undefined
}

interface Claims {
  readonly instanceId?: unknown
  readonly pid?: unknown
  readonly life?: unknown
  readonly exit?: unknown
}

function parseRecord(text: string): Claims {
  try {
    const record: unknown = JSON.parse(text)
    return typeof record === 'object' && record !== null ? record : {}
  } catch {
    return {}
  }
}
