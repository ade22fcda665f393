// Since when something has been available without a gap. If it was not observed for a while (the machine slept, the process hung), it counts as
// unavailable, because leases that expired meanwhile prove nothing. The same applies after the clock was set back.
export interface Continuity {
  /** It was available at `at`. */
  note(at: number): void
  /** It is unavailable. */
  lose(): void
  /** Epoch ms; undefined: it is unavailable, or was not observed lately. */
  since(now: number): number | undefined
}

export function createContinuity(longestGapMs: number): Continuity {
  let first = 0
  let last = -Infinity
  const isGap = (before: number, now: number): boolean => now < before || now - before > longestGapMs
  return {
    note(at) {
      if (isGap(last, at)) first = at
      last = at
    },
    lose() {
      last = -Infinity
    },
    since: (now) => (isGap(last, now) ? undefined : first),
  }
}
