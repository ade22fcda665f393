// What the history consists of (ADR 79): how long each kind is kept, and its share of `history.bytes`. A kind may be larger than its share as long as
// all of them fit; then the one that exceeds its share most loses its oldest first.
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

interface KindFacts {
  /** Sums to 1. */
  readonly share: number
  /** Absent: `history.days`. */
  readonly keepMs?: number
}

export const HISTORY_KINDS = {
  /** Ended jobs, packed (core's `packJobs`). */
  jobs: { share: 28 / 64 },
  /** Failed ones with the beginning of their errors, JSON. */
  failures: { share: 6 / 64 },
  lives: { share: 6 / 64 },
  /** Of cards, every ten seconds, and each minute's. */
  samples: { share: 4 / 64, keepMs: DAY_MS },
  sampleMinutes: { share: 12 / 64, keepMs: 30 * DAY_MS },
  /** Cards and hosts that went away, into quarantine, and came back. */
  cardChanges: { share: 1 / 64 },
  /** Numbers of endpoints. */
  minutes: { share: 4 / 64, keepMs: 2 * DAY_MS },
  hours: { share: 3 / 64, keepMs: 90 * DAY_MS },
} as const satisfies Record<string, KindFacts>

export type HistoryKind = keyof typeof HISTORY_KINDS
/** Those that are streams of chunks. */
export type StreamKind = Exclude<HistoryKind, 'lives'>

const FACTS: readonly (readonly [string, KindFacts])[] = Object.entries(HISTORY_KINDS)

/** The bounds as scripts get them. */
export function boundsOf({ days }: { readonly days: number }) {
  return {
    kinds: FACTS.map(([kind]) => kind),
    shares: FACTS.map(([, { share }]) => share),
    keepMs: FACTS.map(([, { keepMs }]) => keepMs ?? days * DAY_MS),
    expireMs: Math.max(...FACTS.map(([, { keepMs }]) => keepMs ?? days * DAY_MS)) + DAY_MS,
  }
}
