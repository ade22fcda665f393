// The pause before a retry: it doubles from 100 ms to 5 s, with jitter, so that workers do not all reconnect to a restarted gateway at the same
// time. Never zero, so that no loop is busy (worker-api §4.2).
import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_MS = 100
const LAST_MS = 5000

/** `attempt` counts from 0, `random` in [0, 1). The third failure in a row: 400 ms ± 25 %, so 300–500 ms. */
export function backoffMs(attempt: number, random: number): number {
  const base = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 16))
  return Math.round(base * (0.75 + random / 2))
}

/** Resolves early, without an error, when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
