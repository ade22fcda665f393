// Limits of API keys on workers (ADR 60): tables, then random worlds, then timelines.
import type { ApiKey, WorkerRecord } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyLimitsOf } from './key-limits.ts'
import type { EndpointView, Observed } from './observed.ts'
import { plan } from './plan.ts'
import { applyActions, container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'
import { runTimeline, type Actor } from './simulation/timeline.ts'

const key = (id: string, limits?: ApiKey['limits']): ApiKey => ({ id, name: `name of ${id}`, ownerId: 'o', createdAt: 1, limits })
const created = (id: string, keyId: string | undefined, settings = {}) => ({ ...endpoint(id, { settings }), keyId })
const limited = (workers: number, keyId = 'k1') => ({ keyLimits: new Map([[keyId, { name: 'ci', workers }]]) })
const cards = (count: number) => Array.from({ length: count }, (_, index) => gpu(`g${index}`))

function holding(id: string, endpointId: string, card: number, change: Partial<WorkerRecord> = {}): WorkerRecord {
  const { uuid, name } = gpu(`g${card}`)
  return record(id, { endpointId, gpus: [{ uuid, name, simulated: true }], ...change })
}

test('a key’s own limit comes first, then the default; null is none', () => {
  const keys = [key('a'), key('b', { workers: 5 }), key('c', { workers: null }), key('d', { queuedJobs: 7 })]
  expect([...keyLimitsOf(keys, 3)].map(([id, { workers }]) => [id, workers])).toEqual([
    ['a', 3],
    ['b', 5],
    ['d', 3],
  ])
  expect([...keyLimitsOf(keys, 0).keys()]).toEqual(['b'])
})

const startsOf = (world: Observed) => plan(world, NOW).actions.filter((action) => action.kind === 'start')

describe('workers of all endpoints of one key together', () => {
  test('are at most as many as its limit; the rest is throttled with the key’s name, and other keys get theirs', () => {
    const [one, two, other] = [created('ep-1', 'k1'), created('ep-2', 'k1'), created('ep-3', undefined)]
    const views = [one, two, other].map((found) => view(found, waiting(1)))
    const world = observed(views, [host('h1', cards(8))], limited(1))
    expect(startsOf(world).map((action) => action.endpointId)).toEqual(['ep-1', 'ep-3'])
    expect(plan(world, NOW).statuses.get('ep-2')).toMatchObject({
      throttled: 1,
      reason: 'key_limit',
      message: 'the API key "ci", which created the endpoint, may have 1 worker and has 1',
    })
  })

  test('keep a minimum only within the limit', () => {
    const world = observed([view(created('ep-1', 'k1', { workersMin: 5, workersMax: 8 }))], [host('h1', cards(8))], limited(3))
    expect(startsOf(world)).toHaveLength(3)
    expect(plan(world, NOW).statuses.get('ep-1')?.message).toContain('may have 3 workers and has 3')
  })

  test('a draining worker counts until it is gone, a dead one does not', () => {
    const leaving = holding('w1', 'ep-1', 0, { drainingSince: NOW - 10, retireReason: 'idle_timeout' })
    const views = [view(created('ep-1', 'k1'), { workers: [leaving] }), view(created('ep-2', 'k1'), waiting(1))]
    expect(startsOf(observed(views, [host('h1', cards(2), [container(leaving)])], limited(1)))).toEqual([])
    const gone = container(leaving, { state: 'exited', exit: { at: NOW - 10, exitCode: 0, oomKilled: false } })
    expect(startsOf(observed(views, [host('h1', cards(2), [gone])], limited(1)))).toHaveLength(1)
  })

  test('a limit below what is there stops nothing and starts nothing', () => {
    const workers = [0, 1, 2].map((card) => holding(`w${card}`, 'ep-1', card))
    const leases = workers.map(({ id }) => ({ ...lease(`j-${id}`, id), endpointId: 'ep-1' }))
    const views = [view(created('ep-1', 'k1', { workersMax: 8 }), { workers, leases, ...waiting(4, 60_000) })]
    const world = observed(
      views,
      [
        host(
          'h1',
          cards(8),
          workers.map((worker) => container(worker)),
        ),
      ],
      limited(1),
    )
    expect(plan(world, NOW).actions).toEqual([])
  })
})

describe('an idle worker of the same key', () => {
  const idle = holding('w1', 'ep-1', 0, { lastJobEndedAt: NOW - 1000 })
  const drained = (world: Observed) => plan(world, NOW).actions.flatMap((action) => (action.kind === 'drain' ? [action.workerId] : []))
  const withIdle = (asking: EndpointView, change: Partial<Observed>, settings = {}) =>
    observed([view(created('ep-1', 'k1', settings), { workers: [idle] }), asking], [host('h1', cards(4), [container(idle)])], change)

  test('yields when the limit is what stands in the way, although GPUs are free', () => {
    expect(drained(withIdle(view(created('ep-2', 'k1'), waiting(1)), limited(1)))).toEqual(['w1'])
  })

  test('yields also to a job that needs none of what it holds', () => {
    const onCpu = { ...created('ep-2', 'k1'), spec: { ...endpoint('x').spec, gpu: null, cpu: { instanceIds: ['cpu3c-2-4'] } } }
    expect(drained(withIdle(view(onCpu, waiting(1)), limited(1)))).toEqual(['w1'])
  })

  test.each([
    ['the job is of another key', view(created('ep-2', 'k2'), waiting(1)), limited(1), {}],
    ['there is room under the limit', view(created('ep-2', 'k1'), waiting(1)), limited(2), {}],
    ['it is within its minimum', view(created('ep-2', 'k1'), waiting(1)), limited(1), { workersMin: 1 }],
    ['one worker less would not be enough', view(created('ep-2', 'k1'), waiting(1)), limited(0), {}],
    ['no host could run the job', view({ ...created('ep-2', 'k1'), spec: endpoint('x', onA40()).spec }, waiting(1)), limited(1), {}],
  ])('stays if %s', (_, asking, change, settings) => {
    expect(drained(withIdle(asking, change, settings))).toEqual([])
  })
})

function onA40() {
  return { spec: { gpu: { pools: ['AMPERE_48'], excludedTypes: [], count: 1, allowedCudaVersions: [] } } }
}

const seedOfWorld = fc.record({
  limits: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  endpoints: fc.array(
    fc.record({ key: fc.nat(2), waiting: fc.nat(6), min: fc.nat(2), busy: fc.nat(2), idle: fc.nat(2), priority: fc.constantFrom(1, 3) }),
    { minLength: 1, maxLength: 5 },
  ),
  cards: fc.integer({ min: 1, max: 12 }),
})

test('whatever is planned, no key gets beyond its limit, also while earlier plans are carried out', () => {
  fc.assert(
    fc.property(seedOfWorld, ({ limits, endpoints, cards: count }) => {
      const keyLimits = new Map(limits.map((workers, index) => [`k${index}`, { name: `k${index}`, workers }]))
      let card = 0
      const views = endpoints.map(({ key: keyIndex, waiting: jobs, min, busy, idle, priority }, index) => {
        const id = `ep-${index}`
        const workers = Array.from({ length: Math.min(busy + idle, Math.max(0, count - card)) }, (_, at) =>
          holding(`${id}-w${at}`, id, card++),
        )
        const leases = workers.slice(0, busy).map((worker) => ({ ...lease(`j-${worker.id}`, worker.id), endpointId: id }))
        const settings = { workersMin: min, workersMax: 6, priority }
        return view(created(id, keyIndex === 2 ? undefined : `k${keyIndex}`, settings), { workers, leases, ...waiting(jobs, 5000) })
      })
      const running = views.flatMap(({ workers }) => workers.map((worker) => container(worker)))
      let world = observed(views, [host('h1', cards(count), running)], { keyLimits })
      const workersOf = (id: string) =>
        world.endpoints.filter((found) => found.endpoint?.keyId === id).flatMap(({ workers }) => workers).length
      let next = 0
      for (let round = 0; round < 4; round += 1) {
        const before = new Map([...keyLimits.keys()].map((id) => [id, workersOf(id)]))
        world = applyActions(world, plan(world, NOW).actions, () => `new-${(next += 1)}`)
        for (const [id, { workers: most }] of keyLimits) {
          expect(workersOf(id)).toBeLessThanOrEqual(Math.max(most, before.get(id) ?? 0))
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('two endpoints of a key with one worker take turns, and neither starves', () => {
  const jobsAt = Array.from({ length: 200 }, () => 0)
  const actor = (id: string): Actor => ({ endpoint: created(id, 'k1'), startMs: 1000, jobMs: 500, jobsAt })
  const { jobs, ready } = runTimeline([actor('ep-1'), actor('ep-2')], { cards: 4, forMs: 60_000, ...limited(1) })
  for (const at of ready) expect([...at.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1)
  const doneOf = (id: string) => jobs.filter((job) => job.endpointId === id && job.startedAt !== undefined).length
  expect(Math.min(doneOf('ep-1'), doneOf('ep-2'))).toBeGreaterThan(20)
})
