// Since when something has been available without a gap. If it was not observed for a while (the machine slept, the process hung), it counts as
// unavailable, because leases that expired meanwhile prove nothing. The same applies after the clock was set back.
export type Continuity = ReturnType<typeof createContinuity>

export function createContinuity(longestGapMs: number) {
  let first = 0
  let last = -Infinity
  const isGap = (before: number, now: number): boolean => now < before || now - before > longestGapMs
  return {
    /** It was available at `at`. */
    note(at: number) {
      if (isGap(last, at)) first = at
      last = at
    },
    /** It is unavailable. */
    lose() {
      last = -Infinity
    },
    /** Epoch ms; undefined: it is unavailable, or was not observed lately. */
    since: (now: number): number | undefined => (isGap(last, now) ? undefined : first),
  }
}
