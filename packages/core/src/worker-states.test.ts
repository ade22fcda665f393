import { DEFAULT_BILLED_STATES, type BillingState, type HealthWorkerState, type WorkerRecord, type WorkerStatus } from '@runyard/schema'
import { expect, test } from 'vitest'
import { healthCounters, workerStatus } from './projections.ts'
import { record } from './testing/plan-fixture.ts'
import { countStates, stateOf } from './worker-states.ts'

const { readyAt: _readyAt, ...young } = record('young')
const old = { drainingSince: 1, outdatedSince: 1, retireReason: 'outdated' } as const

interface Row {
  readonly state: BillingState | undefined
  readonly health: HealthWorkerState | undefined
  readonly rest: WorkerStatus
  readonly isBilled: boolean
}

test.each<[string, WorkerRecord, number, Row]>([
  ['starts', young, 0, { state: 'initializing', health: 'initializing', rest: 'INITIALIZING', isBilled: true }],
  ['waits for jobs inside its idle timeout', record('w'), 0, { state: 'running', health: 'idle', rest: 'IDLE', isBilled: true }],
  ['works', record('w'), 1, { state: 'running', health: 'running', rest: 'RUNNING', isBilled: true }],
  ['finishes its job after an update', record('w', old), 1, { state: 'outdated', health: 'running', rest: 'RUNNING', isBilled: true }],
  [
    'says that it is unfit',
    record('w', { unhealthyReason: 'x' }),
    0,
    { state: 'unhealthy', health: 'unhealthy', rest: 'UNHEALTHY', isBilled: false },
  ],
  ['leaves without a job', record('w', { drainingSince: 1 }), 0, { state: undefined, health: undefined, rest: 'IDLE', isBilled: false }],
])('a worker that %s has one state in every place', (_, worker, leaseCount, { state, health, rest, isBilled }) => {
  const counted = { record: worker, leaseCount }
  expect(stateOf(counted)).toBe(state)
  expect(workerStatus(worker, leaseCount)).toBe(rest)
  const { ready: _ready, ...counters } = healthCounters([counted], undefined)
  expect(Object.entries(counters).filter(([, count]) => count > 0)).toEqual(health === undefined ? [] : [[health, 1]])
  expect((DEFAULT_BILLED_STATES as readonly (BillingState | undefined)[]).includes(state)).toBe(isBilled)
})

test('workers that do not exist are throttled or unhealthy, or may start, and none of these is billed', () => {
  const missing = { throttled: 2, unhealthy: 1, mayStart: 3 }
  const workers = [{ record: record('w', { unhealthyReason: 'x' }), leaseCount: 0 }]
  expect(countStates({ workers, missing })).toEqual({
    initializing: 0,
    idle: 3,
    running: 0,
    throttled: 2,
    outdated: 0,
    unhealthy: 2,
  })
  expect(countStates({ workers: [], missing: undefined })).toEqual({
    initializing: 0,
    idle: 0,
    running: 0,
    throttled: 0,
    outdated: 0,
    unhealthy: 0,
  })
  for (const state of ['idle', 'throttled', 'unhealthy'] as const) expect(DEFAULT_BILLED_STATES).not.toContain(state)
})
