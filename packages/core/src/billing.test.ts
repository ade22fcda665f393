import type { LedgerRow } from '@runyard/schema'
import { expect, test } from 'vitest'
import { bucketsOf, usageByBucket, type BillingQuery } from './billing.ts'

const NOW = Date.parse('2026-11-30T05:20:00Z')
const iso = (query: Partial<BillingQuery>): readonly string[] =>
  bucketsOf({ bucketSize: 'day', ...query }, NOW).flatMap(({ from, to }) => [new Date(from).toISOString(), new Date(to).toISOString()])

test.each([
  ['hour', '2026-11-30T04:00:00.000Z', '2026-11-30T05:00:00.000Z', '2026-11-30T06:00:00.000Z'],
  ['day', '2026-11-29T00:00:00.000Z', '2026-11-30T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['week', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z', '2026-12-07T00:00:00.000Z'],
  ['month', '2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['year', '2025-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
] as const)('the last two buckets by %s end with the running one', (bucketSize, first, second, end) => {
  expect(iso({ bucketSize, lastN: 2 })).toEqual([first, second, second, end])
})

test('a range is snapped outward to whole buckets, and the default is 30 days', () => {
  const [startTime, endTime] = [Date.parse('2026-11-01T12:00:00Z'), Date.parse('2026-11-02T00:00:01Z')]
  expect(iso({ startTime, endTime })).toHaveLength(4)
  expect(iso({ startTime, endTime: Date.parse('2026-11-02T00:00:00Z') })).toEqual(['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'])
  expect(iso({})).toHaveLength(62)
})

test.each([
  [{ lastN: 1, startTime: 0 }, '"lastN" and "startTime" or "endTime" exclude each other.'],
  [{ startTime: NOW, endTime: NOW - 172_800_000 }, '"startTime" must lie before "endTime".'],
  [{ startTime: 0, bucketSize: 'hour' }, 'At most 1000 buckets are answered at once'],
] as const)('%j is refused', (query, sentence) => {
  expect(() => bucketsOf({ bucketSize: 'day', ...query }, NOW)).toThrow(sentence)
})

test('an interval counts in each bucket that it touches, and the sum of a day in the bucket of that day', () => {
  const buckets = bucketsOf({ bucketSize: 'day', lastN: 3 }, NOW)
  const at = (text: string): number => Date.parse(`2026-11-${text}Z`)
  const row = (from: number, to: number | undefined, endpointId = 'ep'): LedgerRow => ({
    workerId: 'w',
    endpointId,
    gpuType: null,
    gpuCount: 0,
    state: 'running',
    from,
    ...(to === undefined ? {} : { to }),
  })
  const rows = [row(at('28T23:59:50'), at('29T00:00:05')), row(at('30T05:19:00'), undefined), row(at('01T00:00:00'), at('01T00:00:09'))]
  const days = [{ day: at('28T00:00:00'), endpointId: null, gpuType: null, state: 'running', seconds: 7, gpuSeconds: 0 } as const]
  const used = usageByBucket({ rows, days }, buckets, { billedStates: ['running'], now: NOW })
  expect(used.map(({ lines }) => lines.map(({ endpointId, billableSeconds }) => [endpointId, billableSeconds]))).toEqual([
    [
      [null, 7],
      ['ep', 10],
    ],
    [['ep', 5]],
    [['ep', 60]],
  ])
})

test('a bucket in which nothing was billed is left out', () => {
  const buckets = bucketsOf({ bucketSize: 'day', lastN: 2 }, NOW)
  const day = { day: buckets[1]?.from ?? 0, endpointId: 'ep', gpuType: null, seconds: 7, gpuSeconds: 0 }
  const ledger = {
    rows: [],
    days: [
      { ...day, state: 'running' as const },
      { ...day, state: 'unhealthy' as const },
    ],
  }
  expect(usageByBucket(ledger, buckets, { billedStates: ['running'], now: NOW }).map(({ range }) => range)).toEqual([buckets[1]])
  expect(usageByBucket(ledger, buckets, { billedStates: ['unhealthy'], now: NOW })).toMatchObject([{ lines: [{ state: 'unhealthy' }] }])
})
