// Since when something is there without a gap. Where nobody looked for a while (the machine slept, the process hung), it counts as gone:
// what is then found expired or silent proves nothing. So it does where the clock was set back, or nothing would prove anything until then.
export interface Continuity {
  /** It is there, seen at `at`. */
  note(at: number): void
  /** It is not there. */
  lose(): void
  /** Epoch ms; undefined: it is not there, or nobody looked lately. */
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
