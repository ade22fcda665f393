import { expect, test } from 'vitest'
import { jobsWait, queueReason, type QueueView } from './queue-reason.ts'

const NONE = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 }
const BUSY_GPUS = { reason: 'gpus_busy', message: 'both cards of host local are in use' } as const

interface Change {
  readonly workers?: Partial<QueueView['workers']>
  readonly workersMax?: number
  readonly normal?: number
  readonly shortfall?: QueueView['shortfall']
}

function seen(change: Change): QueueView {
  const { workers = {}, workersMax = 3, normal = 1, shortfall } = change
  return {
    settings: { workersMax },
    demand: { waiting: 2, waitingNormal: normal },
    workers: { ...NONE, ...workers },
    shortfall,
  }
}

test.each([
  ['no_worker_yet', seen({}), false],
  ['worker_starting', seen({ workers: { initializing: 1 } }), false],
  ['worker_starting', seen({ workers: { initializing: 1, running: 1 } }), false],
  ['workers_busy', seen({ workers: { running: 3 } }), false],
  ['about_to_start', seen({ workers: { idle: 2, running: 1 } }), false],
  ['jobs_ahead', seen({ workers: { idle: 1, running: 2 } }), false],
  ['gpus_busy', seen({ shortfall: BUSY_GPUS }), false],
  ['paused', seen({ workersMax: 0, shortfall: BUSY_GPUS }), false],
  ['low_priority', seen({ workers: { running: 1 } }), true],
  ['low_priority', seen({ normal: 0 }), true],
  ['workers_busy', seen({ normal: 0, workers: { running: 1 } }), true],
  ['about_to_start', seen({ normal: 0, workers: { idle: 2 } }), true],
] as const)('%s where %j (low priority: %s)', (reason, view, lowPriority) => {
  const found = queueReason(view, { lowPriority })
  expect(found.reason).toBe(reason)
  expect(found.message.length).toBeGreaterThan(10)
})

test('the message for busy workers names their maximum, and why no further worker starts', () => {
  expect(queueReason(seen({ workers: { running: 1 }, shortfall: BUSY_GPUS }), { lowPriority: false }).message).toBe(
    'every worker is busy with another job (1 of at most 3 workers; 2 jobs wait); another cannot start: both cards of host local are in use',
  )
})

test.each([
  [0, 'about_to_start', 'a worker is free and about to take it'],
  [1, 'about_to_start', 'a worker is free and about to take it'],
  [2, 'jobs_ahead', '2 jobs are before it in the queue; 2 workers are free'],
  [412, 'jobs_ahead', '412 jobs are before it in the queue; 2 workers are free'],
  [undefined, 'jobs_ahead', '500 jobs wait; 2 workers are free'],
])('of a long queue only as many jobs are about to start as workers are free: %s before it', (ahead, reason, message) => {
  const view = { ...seen({ workers: { idle: 2 } }), demand: { waiting: 500, waitingNormal: 500 } }
  expect(queueReason(view, { lowPriority: false, ahead })).toMatchObject({ reason, message })
})

test('the message for busy workers says how many jobs are before it', () => {
  expect(queueReason(seen({ workers: { running: 3 } }), { lowPriority: false, ahead: 1 }).message).toContain(
    '2 jobs wait, 1 of them before it',
  )
})

test('the number of waiting jobs is written in singular or plural', () => {
  expect([jobsWait(1), jobsWait(2, 'normal ')]).toEqual(['1 job waits', '2 normal jobs wait'])
})

test.each([
  ['paused', seen({ workersMax: 0 }), 'raise workersMax of the endpoint'],
  ['what keeps the next worker from starting', seen({ workers: { running: 1 }, shortfall: BUSY_GPUS }), 'raise its priority'],
  ['workers that are busy', seen({ workers: { running: 3 } }), 'raise workersMax'],
])('the remedy is that of %s', (_, view, words) => {
  expect(queueReason(view, { lowPriority: false }).remedy).toContain(words)
})

test('where only time helps, there is no remedy', () => {
  expect(queueReason(seen({ workers: { initializing: 1 } }), { lowPriority: false }).remedy).toBeUndefined()
})

test('a job with one before it says so in the singular', () => {
  expect(queueReason(seen({ workers: { idle: 1 } }), { lowPriority: false, ahead: 1 }).message).toMatch(/^1 job is before it in the queue/u)
})
