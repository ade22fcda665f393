// The job that this worker runs, at most one, and the two loops beside the job loop that concern it: pings name it (worker-api §8), and the stop
// channel stops it (worker-api §9). Both loops run until the agent ends, also while it drains. Their failures do not affect a job.
import { backoffMs, pause } from './backoff.ts'
import type { Gateway } from './gateway-client.ts'

export type CurrentJob = ReturnType<typeof createCurrentJob>

export function createCurrentJob() {
  const held = new Map<string, AbortController>()
  return {
    /** The signal aborts when the job must be stopped. */
    begin(jobId: string): AbortSignal {
      const controller = new AbortController()
      held.set(jobId, controller)
      return controller.signal
    },
    end(jobId: string) {
      held.delete(jobId)
    },
    /** False if the job is not held. */
    stop(jobId: string): boolean {
      held.get(jobId)?.abort()
      return held.has(jobId)
    },
    ids: (): readonly string[] => [...held.keys()],
  }
}

const STOP_PAUSE_MS = 1000

/** The first ping is sent at once, each other one an interval after the last response. A ping names the current job. */
export async function runPingLoop(gateway: Gateway, held: CurrentJob, until: { intervalMs: number; signal: AbortSignal }): Promise<void> {
  while (!until.signal.aborted) {
    await gateway.ping(held.ids(), until.signal).catch(() => undefined)
    await pause(until.intervalMs, until.signal)
  }
}

/** Limits empty responses to one per second, so that a gateway that answers at once causes no busy loop. */
export async function runStopLoop(gateway: Gateway, held: CurrentJob, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const askedAt = performance.now()
    const ids = await gateway.awaitStops(signal)
    failures = ids === undefined ? failures + 1 : 0
    const known = (ids ?? []).filter((id) => held.stop(id))
    if (ids === undefined) await pause(backoffMs(failures + 3, Math.random()), signal)
    else if (known.length === 0) await pause(Math.max(0, STOP_PAUSE_MS - (performance.now() - askedAt)), signal)
  }
}
