// Buckets of billing (management §2.5, §8.2): half-open ranges in UTC, snapped outward to their edges. What was used in each comes from the ledger.
// There are no prices, so amounts are 0 and seconds say what was used.
import { RunyardError, type LedgerRow } from '@runyard/schema'
import { DAY_MS, sumUsage, type Ledger, type UsageLine, type UsageOptions, type UsageRange } from './usage.ts'

export const BUCKET_SIZES = ['hour', 'day', 'week', 'month', 'year'] as const
export type BucketSize = (typeof BUCKET_SIZES)[number]

export interface BillingQuery {
  readonly startTime?: number | undefined
  readonly endTime?: number | undefined
  readonly bucketSize: BucketSize
  /** The last so many buckets, the running one included; excludes the times. */
  readonly lastN?: number | undefined
}

/** A year of hours would be nearly nine thousand answers. */
const MOST_BUCKETS = 1000
const DEFAULT_DAYS = 30

/** Oldest first. @throws RunyardError('bad_request' | 'unprocessable') */
export function bucketsOf(query: BillingQuery, now: number): readonly UsageRange[] {
  const { startTime, endTime, bucketSize, lastN } = query
  refuseBoth(query)
  const end = lastN === undefined ? (endTime ?? now) : now
  const last = startOfBucket(end - 1, bucketSize)
  const first =
    lastN === undefined ? startOfBucket(startTime ?? end - DEFAULT_DAYS * DAY_MS, bucketSize) : addBuckets(last, 1 - lastN, bucketSize)
  if (first > last) throw new RunyardError('bad_request', '"startTime" must lie before "endTime".')
  const buckets: UsageRange[] = []
  for (let from = first; from <= last; from = addBuckets(from, 1, bucketSize)) {
    if (buckets.length === MOST_BUCKETS)
      throw new RunyardError(
        'bad_request',
        `At most ${MOST_BUCKETS} buckets are answered at once; ask for a shorter range or larger buckets.`,
      )
    buckets.push({ from, to: addBuckets(from, 1, bucketSize) })
  }
  return buckets
}

function refuseBoth({ startTime, endTime, lastN }: BillingQuery): void {
  if (lastN !== undefined && (startTime ?? endTime) !== undefined)
    throw new RunyardError('unprocessable', '"lastN" and "startTime" or "endTime" exclude each other.')
}

function startOfBucket(at: number, size: BucketSize): number {
  const date = new Date(Math.max(0, at))
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  switch (size) {
    case 'hour':
      return Date.UTC(year, month, day, date.getUTCHours())
    case 'day':
      return Date.UTC(year, month, day)
    // Weeks begin on Monday.
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7))
    case 'month':
      return Date.UTC(year, month)
    case 'year':
      break
  }
  return Date.UTC(year, 0)
}

/** From the start of a bucket to that of another. */
function addBuckets(at: number, count: number, size: BucketSize): number {
  const date = new Date(at)
  switch (size) {
    case 'hour':
      return at + count * (DAY_MS / 24)
    case 'day':
      return at + count * DAY_MS
    case 'week':
      return at + count * 7 * DAY_MS
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count)
    case 'year':
      break
  }
  return Date.UTC(date.getUTCFullYear() + count, 0)
}

export interface UsedBucket {
  readonly range: UsageRange
  readonly lines: readonly UsageLine[]
}

/** Those in which something was used. A sum of a day counts in the bucket that the day begins in. */
export function usageByBucket(
  { rows, days = [] }: Ledger,
  buckets: readonly UsageRange[],
  options: Omit<UsageOptions, 'range'>,
): readonly UsedBucket[] {
  const touched = buckets.map((range): { range: UsageRange; rows: LedgerRow[] } => ({ range, rows: [] }))
  for (const row of rows) {
    const to = row.to ?? options.now
    for (let at = firstAfter(buckets, row.from); Number(buckets[at]?.from) < to; at += 1) touched[at]?.rows.push(row)
  }
  return touched.flatMap(({ range, rows: own }) => {
    const inside = days.filter(({ day }) => day >= range.from && day < range.to)
    const lines = sumUsage({ rows: own, days: inside }, { ...options, range }).filter((line) => line.billableSeconds > 0)
    return lines.length === 0 ? [] : [{ range, lines }]
  })
}

function firstAfter(buckets: readonly UsageRange[], time: number): number {
  let [low, high] = [0, buckets.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (Number(buckets[middle]?.to) > time) high = middle
    else low = middle + 1
  }
  return low
}
