// What to do while Redis is away or refuses writes. `retryWhileAway` repeats a write for as long as a worker's post may be held. The SDK waits up to
// 600 s for an answer and drops a refused result for good (worker-api §5.2), so holding loses nothing. Bounded, and ended when the gateway stops.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'

const TRY_EVERY_MS = 200
/** For clients that drop a refused request. */
const LONGEST_HOLD_MS = 120_000

/** A condition that passes. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof RunyardError && error.code === 'store_unavailable'
}

/** `isRepeat`: an earlier try may have been written although its answer was lost. */
export async function retryWhileAway<T>(
  write: (isRepeat: boolean) => Promise<T>,
  signal: AbortSignal,
  holdMs = LONGEST_HOLD_MS,
): Promise<T> {
  const deadline = Date.now() + holdMs
  for (let isRepeat = false; ; isRepeat = true) {
    try {
      return await write(isRepeat)
    } catch (error) {
      if (!isStoreAway(error) || signal.aborted || Date.now() > deadline) throw error
    }
    await sleep(TRY_EVERY_MS, undefined, { signal, ref: false }).catch(() => {})
  }
}
