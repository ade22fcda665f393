// Durations of rules. A test runs the same rules faster: every range, pause and limit in seconds shrinks by one factor.
export interface Pace {
  /** As Prometheus writes it: `5m`. */
  readonly span: (seconds: number) => string
  /** As a number in an expression. */
  readonly seconds: (count: number) => number
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const

export function createPace(factor = 1): Pace {
  const scaled = (count: number): number => Math.max(1, Math.round(count * factor))
  return {
    span(seconds) {
      const count = scaled(seconds)
      const unit = UNITS.find(([, size]) => count % size === 0)
      return unit === undefined ? `${count}s` : `${count / unit[1]}${unit[0]}`
    },
    seconds: scaled,
  }
}
