// Usage does not change when an interval is rolled up into days.
import * as fc from 'fast-check'
import type { LedgerDay, LedgerRow } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { buildJobColumns } from './history/job-columns.ts'
import { DAY_MS, groupUsage, splitByDay, startOfDay, sumUsage, toWholeDays, type GroupOptions } from './usage.ts'
import { createWorkSpans } from './work-spans.ts'

const DAY = Date.parse('2026-03-01T00:00:00Z')
const NOW = DAY + 20 * DAY_MS
const row = (from: number, to: number): LedgerRow => ({
  workerId: 'w1',
  endpointId: 'ep-1',
  gpuType: 'NVIDIA L4',
  gpuCount: 2,
  state: 'running',
  from: DAY + from,
  to: DAY + to,
})
const sum = (rows: readonly LedgerRow[], days: readonly LedgerDay[], range = { from: 0, to: NOW }) =>
  sumUsage({ rows, days }, { range, billedStates: ['running'], now: NOW })

it('rounds each interval up, cuts it at the range, and bills it by its state', () => {
  const worker = { workerId: 'w', endpointId: 'ep', gpuType: 'NVIDIA L4', gpuCount: 2 }
  const lines = sumUsage(
    {
      rows: [
        { ...worker, state: 'initializing', from: 0, to: 2500 },
        { ...worker, state: 'running', from: 2500, to: 10_000 },
        { ...worker, state: 'running', from: 20_000 },
        { ...worker, state: 'unhealthy', from: 10_000, to: 11_000 },
      ],
    },
    { range: { from: 0, to: 30_000 }, billedStates: ['initializing', 'running'], now: 24_100 },
  )
  expect(lines).toEqual([
    { endpointId: 'ep', gpuType: 'NVIDIA L4', state: 'initializing', seconds: 3, billableSeconds: 3, gpuSeconds: 6 },
    { endpointId: 'ep', gpuType: 'NVIDIA L4', state: 'running', seconds: 13, billableSeconds: 13, gpuSeconds: 26 },
    { endpointId: 'ep', gpuType: 'NVIDIA L4', state: 'unhealthy', seconds: 1, billableSeconds: 0, gpuSeconds: 0 },
  ])
})

it('leaves out what lies outside of the range', () => {
  const day: LedgerDay = { day: DAY, endpointId: 'ep-1', gpuType: null, state: 'running', seconds: 7, gpuSeconds: 0 }
  const later = { from: DAY + DAY_MS, to: NOW }
  expect(sum([row(0, 1000)], [day], later)).toEqual([])
  expect(sum([], [{ ...day, seconds: 0 }])).toEqual([])
})

describe('an interval that crosses midnight', () => {
  it('is rounded up in each day, so that days add up to months', () => {
    const crossing = row(DAY_MS - 500, DAY_MS + 500)
    expect(splitByDay(crossing).map(({ day, seconds, gpuSeconds }) => [day - DAY, seconds, gpuSeconds])).toEqual([
      [0, 1, 2],
      [DAY_MS, 1, 2],
    ])
    expect(sum([crossing], [])).toMatchObject([{ seconds: 2, billableSeconds: 2, gpuSeconds: 4 }])
  })

  it('counts whole days between its ends', () => {
    expect(splitByDay(row(DAY_MS / 2, 3 * DAY_MS + 1)).map(({ seconds }) => seconds)).toEqual([43_200, 86_400, 86_400, 1])
    expect(splitByDay(row(0, DAY_MS)).map(({ seconds }) => seconds)).toEqual([86_400])
  })
})

it('gives the same sum in any range of whole days, whichever intervals were rolled up', () => {
  const at = fc.integer({ min: 0, max: 10 * DAY_MS })
  const interval = fc.tuple(at, fc.integer({ min: 1, max: 3 * DAY_MS }), fc.constantFrom(0, 1, 4), fc.boolean())
  const days = fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 1, max: 14 }))
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 12 }), days, (intervals, [first, count]) => {
      const rows = intervals.map(([from, ms, gpuCount]) => ({ ...row(from, from + ms), gpuCount }))
      const added = rows.filter((_, index) => intervals[index]?.[3])
      const range = { from: DAY + first * DAY_MS, to: DAY + (first + count) * DAY_MS }
      const kept = rows.filter((one) => !added.includes(one))
      expect(sum(kept, added.flatMap(splitByDay), range)).toEqual(sum(rows, [], range))
    }),
  )
})

describe('a range', () => {
  const midnight = startOfDay(NOW)

  it('is extended to whole days only where only daily sums exist', () => {
    const range = { from: midnight - DAY_MS - 1, to: midnight - 1 }
    expect(toWholeDays(range, midnight)).toEqual({ from: midnight - 2 * DAY_MS, to: midnight })
    expect(toWholeDays(range, midnight - DAY_MS)).toEqual({ from: midnight - 2 * DAY_MS, to: midnight - 1 })
    expect(toWholeDays(range, 0)).toEqual(range)
    const whole = { from: midnight - DAY_MS, to: midnight }
    expect(toWholeDays(whole, NOW)).toEqual(whole)
  })
})

describe('usage by key, host and day', () => {
  const interval = row(DAY_MS - 10_000, DAY_MS + 20_000)
  const rows = [interval, { ...interval, workerId: 'w2', hostId: 'h1', keyId: 'k1' }]
  const columns = buildJobColumns()
  const job = { endpointId: 'ep-1', workerId: 'w1', status: 'COMPLETED', endedAt: DAY + DAY_MS } as const
  columns.addJob({ ...job, id: 'a', startedAt: DAY + DAY_MS - 6000 })
  columns.addJob({ ...job, id: 'b', startedAt: DAY + DAY_MS - 4000, endedAt: DAY + DAY_MS + 5000 })
  columns.addJob({ ...job, id: 'c', startedAt: undefined })
  const second = buildJobColumns()
  second.addJob({ ...job, id: 'd', startedAt: DAY + DAY_MS + 15_000, endedAt: Infinity })
  const work = createWorkSpans([columns.finish(), second.finish()], DAY + DAY_MS + 18_000)
  const group = (by: GroupOptions['by'], more: Partial<GroupOptions> = {}) =>
    groupUsage({ rows }, { range: { from: 0, to: NOW }, billedStates: ['running'], now: NOW, by, priceOf: () => 3600, ...more })

  it('has a group for what has none', () => {
    expect(group(['key', 'host']).map(({ of: { keyId, hostId }, cost }) => [keyId, hostId, cost])).toEqual([
      [undefined, undefined, 60],
      ['k1', 'h1', 60],
    ])
  })

  it('leaves out the time with a job, each worker by itself, and knows nothing where jobs are not known', () => {
    expect(group(['day'], { work }).map(({ seconds, idleSeconds }) => [seconds, idleSeconds])).toEqual([
      [20, 14],
      [40, 32],
    ])
    expect(group(['host'], { work }).map(({ idleSeconds }) => idleSeconds)).toEqual([16, 30])
    expect(group(['endpoint']).map(({ idleSeconds }) => idleSeconds)).toEqual([undefined])
  })
})
