import type { WorkerRecord } from '@runyard/schema'
import { expect, test } from 'vitest'
import type { StartFailures } from './backoff.ts'
import { DEFAULT_PLAN_POLICY, type EndpointView, type Observed } from './observed.ts'
import { plan } from './plan.ts'
import { isOutdated } from './worker-facts.ts'
import { applyActions, container, endpoint, gpu, host, lease, NOW, observed, record, view } from './testing/plan-fixture.ts'

const CARDS = Array.from({ length: 12 }, (_, index) => gpu(`g${index}`))
const SAVED_AT = NOW - 50_000

interface Change {
  readonly workers: readonly WorkerRecord[]
  readonly max?: number
  readonly min?: number
  readonly view?: Partial<EndpointView>
  readonly policy?: Partial<Observed['policy']>
}

function world({ workers, max = 3, min = 0, view: more = {}, policy }: Change): Observed {
  const found = { ...endpoint('ep-one', { settings: { workersMin: min, workersMax: max } }), version: 2, updatedAt: SAVED_AT }
  const containers = workers.map((worker) => container(worker))
  const own = { workers, ...more }
  return observed([view(found, own)], [host('h1', CARDS, containers)], { policy: { ...DEFAULT_PLAN_POLICY, ...policy } })
}

const old = (id: string, change: Partial<WorkerRecord> = {}) => record(id, { specHash: 'old', endpointVersion: 1, ...change })
const fresh = (id: string, change: Partial<WorkerRecord> = {}) => record(id, { endpointVersion: 2, createdAt: NOW - 10_000, ...change })
const kept = { servesThrough: SAVED_AT }
const starting = { readyAt: undefined, containerStartedAt: NOW - 500 }
const failures: StartFailures = {
  specHash: 'spec-1',
  count: 1,
  lastAt: NOW - 1000,
  workerCreatedAt: NOW - 2000,
  reason: 'exited',
  message: 'it exited with 1',
}

const TURNS: readonly [string, Change, readonly string[]][] = [
  ['a single worker is replaced at once', { workers: [old('a')] }, ['drain a']],
  ['all but one of a small endpoint serve on', { workers: [old('a'), old('b'), old('c')] }, ['drain a', 'serve-on b', 'serve-on c']],
  ['the idle one is first', { workers: [old('a'), old('b')], view: { leases: [lease('j', 'a')] } }, ['drain b', 'serve-on a', 'start']],
  ['one that is not ready goes at once', { workers: [old('a', starting), old('b'), old('c')] }, ['drain a', 'drain b', 'serve-on c']],
  ['a share of a large maximum', { workers: ['a', 'b', 'c'].map((id) => old(id)), max: 20 }, ['drain a', 'drain b', 'serve-on c', 'start']],
  ['all at once by setting', { workers: [old('a'), old('b')], policy: { replacePercent: 100 } }, ['drain a', 'drain b']],
  ['the next turn waits for a ready worker', { workers: [old('b', kept), fresh('n', starting)] }, []],
  ['a ready worker gives the next turn', { workers: [old('b', kept), old('c', kept), fresh('n')] }, ['drain b']],
  [
    'the next turn waits while an old worker ends',
    { workers: [old('a', { drainingSince: NOW - 10, retireReason: 'outdated' }), old('b', kept), fresh('n')] },
    [],
  ],
  ['a version that fails gets no turn', { workers: [old('b', kept), fresh('n')], view: { failures } }, []],
  ['the next save is another release', { workers: [old('b', { servesThrough: SAVED_AT - 1 }), old('c', kept)] }, ['serve-on b', 'start']],
  ['a worker of the spec of before serves again after a roll-back', { workers: [record('a', { endpointVersion: 1 })] }, ['serve-on a']],
]

const shown = (at: Observed): string[] =>
  plan(at, NOW)
    .actions.filter(({ kind }) => ['drain', 'serve-on', 'start'].includes(kind))
    .map((action) => ('workerId' in action ? `${action.kind} ${action.workerId}` : action.kind))

test.each(TURNS)('in a release, %s', (_, change, expected) => {
  expect(shown(world(change)).toSorted()).toEqual(expected.toSorted())
})

test('a rebuilt image is rolled out in turns, too', () => {
  const workers = [record('a', { endpointVersion: 2 }), record('b', { endpointVersion: 2 }), record('c', { endpointVersion: 2 })]
  const at = world({ workers, view: { imageIds: new Map(workers.map(({ id }) => [id, 'new'])) } })
  const [h1] = at.hosts
  if (h1 === undefined) throw new Error('no host')
  const seen = { ...at, hosts: [{ ...h1, workers: workers.map((worker) => container(worker, { imageId: 'old' })) }] }
  expect(shown(seen).toSorted()).toEqual(['drain a', 'serve-on b', 'serve-on c'])
})

test('a release ends: turn after turn, every old worker is replaced, and some worker is ready all the time', () => {
  let at = world({ workers: ['a', 'b', 'c'].map((id) => old(id)), min: 3 })
  let count = 0
  const readyOnes = () =>
    at.endpoints[0]?.workers.filter((worker) => worker.readyAt !== undefined && worker.drainingSince === undefined) ?? []
  for (let round = 0; round < 20; round++) {
    at = applyActions(at, plan(at, NOW).actions, () => `n${count++}`)
    expect(readyOnes().length).toBeGreaterThan(0)
    const [found] = at.endpoints
    if (found === undefined) throw new Error('no endpoint')
    // What drains has ended by the next round, and what started is ready.
    const workers = found.workers
      .filter((worker) => worker.drainingSince === undefined)
      .map((worker) => ({ ...worker, endpointVersion: worker.specHash === 'old' ? 1 : 2, readyAt: worker.readyAt ?? NOW }))
    at = world({ workers, min: 3 })
  }
  expect(readyOnes().map(({ specHash }) => specHash)).toEqual(['spec-1', 'spec-1', 'spec-1'])
})

test('an old worker takes no job after a save until it serves on, and none after the next save', () => {
  const saved = { version: 2, updatedAt: SAVED_AT }
  expect(isOutdated(old('a'), saved)).toBe(true)
  expect(isOutdated(old('a', kept), saved)).toBe(false)
  expect(isOutdated(old('a', kept), { version: 3, updatedAt: SAVED_AT + 1 })).toBe(true)
})
