// How many requests per second an endpoint has had lately. The caller passes the time.

/** Long enough that a burst of a second starts no workers, which the requests in flight do where it needs them. */
const WINDOW_S = 10

export type RequestRate = ReturnType<typeof createRequestRate>

export function createRequestRate() {
  const counts = Array.from({ length: WINDOW_S }, () => 0)
  let last = 0

  /** Empties the seconds that have passed since the last call. */
  function advance(now: number): number {
    const second = Math.max(last, Math.floor(now / 1000))
    for (let passed = Math.max(last, second - WINDOW_S) + 1; passed <= second; passed += 1) counts[passed % WINDOW_S] = 0
    last = second
    return second % WINDOW_S
  }

  return {
    /** A request has begun. */
    note(now: number) {
      const at = advance(now)
      counts[at] = Number(counts[at]) + 1
    },
    /** Averaged over the last ten seconds: 20 requests in one of them are 2 per second. */
    perSecond(now: number): number {
      advance(now)
      return counts.reduce((sum, count) => sum + count, 0) / WINDOW_S
    },
  }
}
