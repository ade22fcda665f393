// Workers whose polls bear another key than their own token. The SDK sends the key of `~/.runpod/config.toml` in its image with everything but its
// pings (worker-api §2.3): it would be asked to come back for ever, and its operator would not learn why. Any client can send such a poll, so by itself
// it leaves only a line in two logs, once for each worker that exists. That the worker is unfit is concluded from its ping, which bears its own token
// (`ping.ts`). Polls in the name of an unknown worker cost one log line a second for all of them, and a few reads.
import type { Logger } from '@runyard/kit'
import { EndpointId, WorkerId } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { WorkerAddress } from './worker-session.ts'

export const FOREIGN_KEY =
  'its polls bear another key than this worker’s, so it gets no job; the runpod SDK prefers the api_key in ~/.runpod/config.toml of the image: remove that file'

const REMEMBERED = 1000
/** Reads of worker records. A worker that is not looked up this time polls again within seconds. */
const LOOKS_PER_SECOND = 10
const LINE_EVERY_MS = 1000

export type WrongKeyPolls = ReturnType<typeof createWrongKeyPolls>

/** Whether the ids are such as a worker of ours may have. */
export function couldBeWorker({ endpointId, workerId }: WorkerAddress): boolean {
  return EndpointId.safeParse(endpointId).success && WorkerId.safeParse(workerId).success
}

export function createWrongKeyPolls({ store, log }: { store: Pick<Store, 'workers' | 'workerLogs'>; log: Logger }) {
  const noted = new Set<string>()
  const keyOf = ({ endpointId, workerId }: WorkerAddress): string => `${endpointId}/${workerId}`
  const second = createSecond((polls) => log.warn({ polls }, 'polls were refused: they bear no key of the worker that they name'))

  async function reportTo(who: WorkerAddress): Promise<void> {
    const { endpointId, workerId } = who
    if ((await store.workers.get(endpointId, workerId)) === undefined || noted.has(keyOf(who))) return
    const [oldest] = noted
    if (noted.size >= REMEMBERED && oldest !== undefined) noted.delete(oldest)
    noted.add(keyOf(who))
    log.warn({ endpointId, workerId }, `a worker’s poll is refused: ${FOREIGN_KEY}`)
    await store.workerLogs.append(workerId, 'system', [{ at: Date.now(), line: FOREIGN_KEY }])
  }

  return {
    has: (who: WorkerAddress): boolean => noted.has(keyOf(who)),
    /** Never throws. */
    async note(who: WorkerAddress): Promise<void> {
      if (noted.has(keyOf(who))) return
      const isPossible = couldBeWorker(who)
      if (second.count(isPossible) > LOOKS_PER_SECOND || !isPossible) return
      await reportTo(who).catch((error: unknown) => {
        log.warn({ err: error, workerId: who.workerId }, 'a worker’s log does not say why its polls are refused')
      })
    },
  }
}

/** Counts polls for a second, then reports how many there were. */
function createSecond(report: (polls: number) => void): { count(isLook: boolean): number } {
  let polls = 0
  let looks = 0
  return {
    count(isLook) {
      if (polls === 0) {
        setTimeout(() => {
          report(polls)
          polls = 0
          looks = 0
        }, LINE_EVERY_MS).unref()
      }
      polls += 1
      if (isLook) looks += 1
      return looks
    },
  }
}
