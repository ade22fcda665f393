// Pieces of queries. Pool facts are read with `max`, process facts with `sum` (ADR 73).
const RATE = '$__rate_interval'

/** Process facts per second, by some labels. */
export const perSecond = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}[${RATE}]))`

/** Pool facts per second: the same counter of several gateways is one. */
export const poolPerSecond = (metric: string, identity: string, by: string): string =>
  `sum by (${by}) (max by (${identity}) (rate(${metric}[${RATE}])))`

export const quantile = (share: number, metric: string, by = 'le'): string =>
  `histogram_quantile(${share}, sum by (${by}) (rate(${metric}[${RATE}])))`

/** A summary's or a histogram's mean. Over an hour for what is rare. */
export function mean(name: string, by: string, { selector = '', window = RATE } = {}): string {
  const rate = (part: string): string => `sum by (${by}) (rate(${name}_${part}${selector}[${window}]))`
  return `${rate('sum')} / (${rate('count')} > 0)`
}

/** For what is absent while nothing is wrong. */
export const orZero = (expr: string): string => `${expr} or vector(0)`
