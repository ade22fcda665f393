// What an earlier installation left in our data directory: workers that no Redis knows any more. The directory is ours, so they are nobody else's.
import { rm } from 'node:fs/promises'
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
