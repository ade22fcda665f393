// The two loops beside the taking of jobs: the heartbeat (worker-api §8) and the stop channel (worker-api §9). Both run until the agent ends,
// while it drains too; their failures never touch a job.
import { backoffMs, pause } from './backoff.ts'
import type { Gateway } from './gateway.ts'
import type { HeldJob } from './held-job.ts'

const STOP_PAUSE_MS = 1000

/** First ping at once, then one interval after each answer; it names the held job. */
export async function runPingLoop(gateway: Gateway, held: HeldJob, until: { intervalMs: number; signal: AbortSignal }): Promise<void> {
  while (!until.signal.aborted) {
    await gateway.ping(held.ids(), until.signal).catch(() => undefined)
    await pause(until.intervalMs, until.signal)
  }
}

/** A poll that is answered at once with nothing must not spin: at most one empty answer per second. */
export async function runStopLoop(gateway: Gateway, held: HeldJob, signal: AbortSignal): Promise<void> {
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
