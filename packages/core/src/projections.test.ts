import { describe, expect, test } from 'vitest'
import { addFailure, currentFailures, pauseAfterMs } from './backoff.ts'
import { resolveImage, resolveStart } from './image-reference.ts'
import { countLeases, healthCounters, workerStatus } from './projections.ts'
import { splitArgs } from './start-command.ts'
import { record } from './testing/plan-fixture.ts'
import { phaseOf } from './worker-facts.ts'

const { readyAt: _, ...young } = record('young')

test.each([
  ['starting', young, 0, 'INITIALIZING'],
  ['idle', record('w'), 0, 'IDLE'],
  ['busy', record('w'), 2, 'RUNNING'],
  ['draining', record('w', { drainingSince: 1 }), 0, 'IDLE'],
  ['draining', record('w', { drainingSince: 1, outdatedSince: 1 }), 1, 'RUNNING'],
  ['idle', record('w', { unhealthyReason: 'no disk' }), 0, 'UNHEALTHY'],
] as const)('a %s worker in Runpod’s words', (phase, worker, leases, status) => {
  expect(phaseOf(worker, leases)).toBe(phase)
  expect(workerStatus(worker, leases)).toBe(status)
})

test('a worker without a record is gone', () => {
  expect(phaseOf(undefined, 0)).toBe('gone')
})

test('/health counts each worker once, ready equals idle, and missing workers are throttled or unhealthy', () => {
  const workers = [
    { record: young, leaseCount: 0 },
    { record: record('idle'), leaseCount: 0 },
    { record: record('busy'), leaseCount: 1 },
    { record: record('finishing', { drainingSince: 1 }), leaseCount: 1 },
    { record: record('leaving', { drainingSince: 1 }), leaseCount: 0 },
  ]
  expect(healthCounters(workers, { throttled: 2, unhealthy: 1 })).toEqual({
    idle: 1,
    initializing: 1,
    ready: 1,
    running: 2,
    throttled: 2,
    unhealthy: 1,
  })
  expect(healthCounters([], undefined)).toEqual({ idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 })
})

const SAVED = { specHash: 's', updatedAt: 1 }

describe('pauses after failed starts', () => {
  const failure = (at: number, workerCreatedAt: number) => ({
    specHash: 's',
    at,
    workerCreatedAt,
    reason: 'exited' as const,
    message: 'it crashed',
  })

  test('grow up to seven days', () => {
    const MINUTE = 60_000
    expect([0, 1, 2, 3, 4, 5, 6].map(pauseAfterMs)).toEqual([0, 10_000, 30_000, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE, 120 * MINUTE])
    expect(pauseAfterMs(1000)).toBe(7 * 24 * 60 * MINUTE)
  })

  test('count workers that failed together once', () => {
    const first = addFailure(undefined, failure(100, 50))
    const together = addFailure(first, failure(110, 60))
    expect(together).toMatchObject({ count: 1, lastAt: 110 })
    expect(addFailure(together, failure(300, 200))).toMatchObject({ count: 2 })
    expect(addFailure(together, { ...failure(300, 200), specHash: 'other' })).toMatchObject({ count: 1 })
  })

  test('end when a newer worker becomes ready', () => {
    const failures = addFailure(undefined, failure(100, 50))
    expect(currentFailures(failures, SAVED, [{ createdAt: 90, readyAt: 120 }])).toBe(failures)
    expect(currentFailures(failures, SAVED, [{ createdAt: 150, readyAt: 160 }])).toBeUndefined()
  })

  test.each([
    ['a save before the worker was placed', { ...SAVED, updatedAt: 40 }, true],
    ['a save after it, also one that changes nothing', { ...SAVED, updatedAt: 60 }, false],
    ['a requested retry', { ...SAVED, retriedAt: 60 }, false],
    ['another spec', { ...SAVED, specHash: 'other' }, false],
  ])('%s: earlier failures still count: %j', (_name, endpoint, counts) => {
    // The worker was placed at 50 and failed at 100: a spec saved in between is not the one that failed.
    const failures = addFailure(undefined, failure(100, 50))
    expect(currentFailures(failures, endpoint, [])).toBe(counts ? failures : undefined)
  })
})

test.each([
  ['runpod/flash:py3.12-latest', { image: 'ours', envelope: 'flash', withAgent: true }],
  ['runpod/flash-cpu:py3.12-1.4.1', { image: 'ours', envelope: 'flash', withAgent: true }],
  ['runpod/queue:latest', { image: 'ours', envelope: 'json', withAgent: true }],
  ['docker.io/runpod/flash', { image: 'ours', envelope: 'flash', withAgent: true }],
  ['runpod/worker-v1-vllm:v2.7', { image: 'runpod/worker-v1-vllm:v2.7', envelope: null, withAgent: false }],
  ['lab:5000/flash:1', { image: 'lab:5000/flash:1', envelope: null, withAgent: false }],
  ['acme/llm:2', { image: 'lab:5000/llm:2', envelope: null, withAgent: false }],
])('the image %s', (image, expected) => {
  expect(resolveImage(image, { defaultImage: 'ours', imageAliases: { 'acme/llm': 'lab:5000/llm:2' } })).toEqual(expected)
})

test.each([
  ['of a queue starts by itself', 'QUEUE', 'mine:1', {}, { envelope: null, withAgent: false, servesImage: false }],
  ['of a load balancer is started by the agent', 'LOAD_BALANCER', 'mine:1', {}, { envelope: null, withAgent: true, servesImage: true }],
  [
    'of a queue with SDK 2 runs our runner',
    'QUEUE',
    'mine:1',
    { RUNPOD_RUNTIME_KIND: 'queue' },
    { envelope: 'json', withAgent: true, hasRunner: true },
  ],
  ['with SDK 2 runs our runner', 'LOAD_BALANCER', 'mine:1', { RUNPOD_RUNTIME_KIND: 'api' }, { envelope: 'json', servesImage: false }],
  ['that ours stands in for runs our runner', 'LOAD_BALANCER', 'runpod/flash-lb:latest', {}, { envelope: 'flash', servesImage: false }],
] as const)('an image %s', (_what, type, image, env, expected) => {
  expect(resolveStart({ type, spec: { image, env } }, { defaultImage: 'ours', imageAliases: {} })).toMatchObject(expected)
})

test.each([
  ['', []],
  ['  python  -u handler.py ', ['python', '-u', 'handler.py']],
  [`sh -c 'echo "$HOME"; true'`, ['sh', '-c', 'echo "$HOME"; true']],
  [`--name "two words" --q "a \\"b\\" \\n"`, ['--name', 'two words', '--q', 'a "b" \\n']],
  [`a\\ b 'c'd"e" ''`, ['a b', 'cde', '']],
])('args %j', (text, expected) => {
  expect(splitArgs(text)).toEqual(expected)
})

test.each(["'open", '"open', 'end\\'])('args with %j are rejected with one sentence', (text) => {
  expect(() => splitArgs(text)).toThrow('is never closed')
})

test('each worker is counted with its jobs; a lease without a worker of the list counts nowhere', () => {
  const leases = [{ workerId: 'a' }, { workerId: 'a' }, { workerId: 'gone' }, {}]
  expect(countLeases([record('a'), record('b')], leases).map(({ leaseCount }) => leaseCount)).toEqual([2, 0])
})
