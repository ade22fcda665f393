import type { WorkerRecord } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { availabilityOf, isDraining, isLeaving, isOutdated, isServing, lifeSignsOf, mayTakeJobs } from './worker-facts.ts'

type Facts = Partial<WorkerRecord>

describe('what a worker may do', () => {
  it.each<[string, Facts, ReturnType<typeof availabilityOf>, { takes: boolean; leaves: boolean; drains: boolean }]>([
    ['a ready worker takes jobs', { readyAt: 1 }, 'available', { takes: true, leaves: false, drains: false }],
    [
      'a worker that is not ready yet takes jobs, because its first poll makes it ready',
      {},
      'available',
      { takes: true, leaves: false, drains: false },
    ],
    [
      'an unhealthy worker takes no jobs',
      { readyAt: 1, unhealthyReason: 'disk' },
      'unhealthy',
      { takes: false, leaves: false, drains: false },
    ],
    ['an outdated worker leaves', { readyAt: 1, outdatedSince: 2 }, 'leaving', { takes: false, leaves: true, drains: false }],
    [
      'a worker that asked to be replaced leaves',
      { readyAt: 1, refreshRequested: true },
      'leaving',
      { takes: false, leaves: true, drains: false },
    ],
    ['a worker with a reason to retire leaves', { retireReason: 'shutdown' }, 'leaving', { takes: false, leaves: true, drains: false }],
    [
      'an unhealthy worker that is replaced leaves',
      { unhealthyReason: 'disk', outdatedSince: 2 },
      'leaving',
      { takes: false, leaves: true, drains: false },
    ],
    ['a draining worker is no supply', { readyAt: 1, drainingSince: 2 }, 'draining', { takes: false, leaves: true, drains: true }],
    [
      'a draining worker stays draining, whatever else is true',
      { drainingSince: 2, unhealthyReason: 'disk' },
      'draining',
      { takes: false, leaves: true, drains: true },
    ],
  ])('%s', (_, facts, availability, { takes, leaves, drains }) => {
    expect(availabilityOf(facts)).toBe(availability)
    expect([mayTakeJobs(facts), isLeaving(facts), isDraining(facts)]).toEqual([takes, leaves, drains])
    expect(isServing(facts)).toBe(takes && facts.readyAt !== undefined)
  })

  it('an unknown worker neither takes jobs nor leaves', () => {
    expect([mayTakeJobs(undefined), isLeaving(undefined)]).toEqual([false, false])
  })

  it('a worker of an older endpoint version is outdated', () => {
    expect([1, 2, 3].map((endpointVersion) => isOutdated({ endpointVersion }, { version: 2, updatedAt: 1 }))).toEqual([true, false, false])
  })
})

it('only workers of a queue have to report', () => {
  expect([lifeSignsOf({ type: 'QUEUE' }), lifeSignsOf({ type: 'LOAD_BALANCER' })]).toEqual(['reports', 'host'])
})
