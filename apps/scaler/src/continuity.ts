// Since when something is there without a gap. Where nobody looked for a while (the machine slept, the process hung), it counts as gone:
// what is then found expired or silent proves nothing.
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
  return {
    note(at) {
      if (at - last > longestGapMs) first = at
      last = at
    },
    lose() {
      last = -Infinity
    },
    since: (now) => (now - last > longestGapMs ? undefined : first),
  }
}
