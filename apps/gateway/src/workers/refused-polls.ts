// Workers whose polls bear another key than their own. The SDK sends the one of `~/.runpod/config.toml` in its image with everything but its
// pings (worker-api §2.3): it would be told to come back for ever, and nobody would know why. Anybody may send such a poll, so by itself it
// only leaves a line in two logs, once; that the worker is unfit is concluded from its ping, which bears its own token (`ping.ts`).
import type { Logger } from '@runyard/kit'
import type { Store } from '@runyard/store'
import type { WorkerAddress } from './registry.ts'

export const FOREIGN_KEY =
  'its polls bear another key than this worker’s, so it gets no job; the runpod SDK prefers the api_key in ~/.runpod/config.toml of the image: remove that file'

const REMEMBERED = 1000

export interface RefusedPolls {
  /** Never throws. */
  note(who: WorkerAddress): Promise<void>
  has(who: WorkerAddress): boolean
}

export function createRefusedPolls({ store, log }: { store: Pick<Store, 'workers' | 'workerLogs'>; log: Logger }): RefusedPolls {
  const noted = new Set<string>()
  const keyOf = ({ endpointId, workerId }: WorkerAddress): string => `${endpointId}/${workerId}`
  /** Nothing is written for who is no worker of ours. */
  async function tellWorker({ endpointId, workerId }: WorkerAddress): Promise<void> {
    if ((await store.workers.get(endpointId, workerId)) === undefined) return
    await store.workerLogs.append(workerId, 'system', [{ at: Date.now(), line: FOREIGN_KEY }])
  }

  return {
    has: (who) => noted.has(keyOf(who)),
    async note(who) {
      if (noted.has(keyOf(who))) return
      if (noted.size >= REMEMBERED) noted.clear()
      noted.add(keyOf(who))
      const { endpointId, workerId } = who
      log.warn({ endpointId, workerId }, `a worker’s poll is refused: ${FOREIGN_KEY}`)
      await tellWorker(who).catch((error: unknown) => {
        log.warn({ err: error, workerId }, 'a worker’s log does not say why its polls are refused')
      })
    },
  }
}
