// Whole days of a pool in seconds: bursts, many endpoints at once, one GPU for three endpoints, and worlds in which nothing happens.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plan } from './plan.ts'
import { container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'
import { runTimeline, type Actor, type Timeline } from './simulation/timeline.ts'

const atOnce = (count: number, from = 0) => Array.from({ length: count }, () => from)
const actor = (id: string, settings: object, change: Partial<Actor> = {}): Actor => ({
  endpoint: endpoint(id, { settings }),
  startMs: 2000,
  jobMs: 1000,
  jobsAt: [],
  ...change,
})
const startsOf = ({ actions }: Timeline, id?: string) =>
  actions.filter((action) => action.kind === 'start' && (id === undefined || action.endpointId === id))
const served = ({ jobs }: Timeline, id?: string) =>
  jobs.filter((job) => job.startedAt !== undefined && (id === undefined || job.endpointId === id)).length
const mostReady = ({ ready }: Timeline, id: string) => Math.max(...ready.map((at) => at.get(id) ?? 0))

test('a burst of 10,000 jobs: as many workers as the maximum, each started once, none retired while a job waits, every job started', () => {
  const line = runTimeline([actor('ep-1', { workersMax: 8, idleTimeoutMs: 5000 }, { jobsAt: atOnce(10_000), jobMs: 250 })], {
    cards: 12,
    forMs: 340_000,
  })
  expect(startsOf(line)).toHaveLength(8)
  expect(served(line)).toBe(10_000)
  const lastStart = Math.max(...line.jobs.map(({ startedAt = Infinity }) => startedAt))
  const drains = line.actions.filter(({ kind }) => kind === 'drain')
  expect(drains).toHaveLength(8)
  expect(Math.min(...drains.map(({ at }) => at))).toBeGreaterThan(lastStart)
})

test('50 endpoints scale at once on 16 GPUs: none exceeds its maximum, none waits for more than a few turns, no job is interrupted', () => {
  const actors = Array.from({ length: 50 }, (_, index) =>
    actor(`ep-${index}`, { workersMax: 3, idleTimeoutMs: 3_600_000 }, { jobsAt: atOnce(6), jobMs: 2000 }),
  )
  const line = runTimeline(actors, { cards: 16, forMs: 240_000 })
  expect(served(line)).toBe(300)
  expect(line.brokenOff).toBe(0)
  for (const { endpoint: found } of actors) expect(mostReady(line, found.id)).toBeLessThanOrEqual(3)
  const firsts = actors.map(({ endpoint: found }) => line.jobs.find((job) => job.endpointId === found.id)?.startedAt ?? Infinity)
  // 50 endpoints are four rounds of 16 GPUs; a turn is at least 5 s, with its start, its last job and its end.
  expect(Math.max(...firsts)).toBeLessThan(4 * 12_000)
  for (const at of line.ready) expect([...at.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(16)
})

describe('three endpoints with long queues and weights 1, 2 and 4 on one GPU', () => {
  const START_MS = 4000
  const actors = [1, 2, 4].map((priority) =>
    actor(`ep-${priority}`, { workersMax: 2, priority }, { jobsAt: atOnce(4000), jobMs: 500, startMs: START_MS }),
  )
  const line = runTimeline(actors, { cards: 1, forMs: 900_000 })

  test('none starves, and a higher weight works for longer', () => {
    const [one = 0, two = 0, four = 0] = actors.map(({ endpoint: found }) => served(line, found.id))
    expect(one).toBeGreaterThan(100)
    expect(two / one).toBeGreaterThan(1.2)
    expect(four / two).toBeGreaterThan(1.2)
  })

  test('every turn is longer than the start that it cost, so most of the time is work', () => {
    const yields = line.actions.filter((action) => action.kind === 'drain' && action.reason === 'yielded')
    const starts = startsOf(line)
    expect(yields.length).toBeGreaterThan(10)
    for (const { at, endpointId } of yields) {
      const before = starts.findLast((start) => start.endpointId === endpointId && start.at < at)
      expect(at - ((before?.at ?? 0) + START_MS)).toBeGreaterThanOrEqual(2 * START_MS)
    }
    expect(starts.length * START_MS).toBeLessThan(900_000 / 3)
    expect(line.brokenOff).toBe(0)
  })
})

test.each([
  ['QUEUE_DELAY', { type: 'QUEUE_DELAY' as const, queueDelay: 1 }],
  ['REQUEST_COUNT', { type: 'REQUEST_COUNT' as const, requestCount: 1 }],
])('jobs of low priority start no worker, however many wait and however long: %s', (_, scaling) => {
  const busy = record('w1', { endpointId: 'ep-1', gpus: [{ uuid: 'g0', name: gpu('g0').name, simulated: true }] })
  const demand = { waiting: 500, waitingNormal: 0, oldestWaitingAt: NOW - 3_600_000 }
  const found = endpoint('ep-1', { settings: { workersMax: 8, scaling } })
  const cards = [gpu('g0'), gpu('g1')]
  expect(plan(observed([view(found, { demand })], [host('h1', cards)]), NOW).actions).toEqual([])
  const leases = [{ ...lease('j', 'w1'), endpointId: 'ep-1' }]
  const withWorker = observed([view(found, { demand, workers: [busy], leases })], [host('h1', cards, [container(busy)])])
  expect(plan(withWorker, NOW).actions).toEqual([])
})

const seedOfWorld = fc.record({
  endpoints: fc.array(
    fc.record({
      workers: fc.nat(3),
      min: fc.nat(3),
      idleMs: fc.integer({ min: 0, max: 3_600_000 }),
      low: fc.nat(5),
      priority: fc.constantFrom(1, 5),
    }),
    { maxLength: 6 },
  ),
  hosts: fc.integer({ min: 1, max: 3 }),
})

/** Every endpoint has the workers that it wants, and nothing waits but jobs of low priority. */
function worldOf(
  { endpoints, hosts }: typeof seedOfWorld extends fc.Arbitrary<infer S> ? S : never,
  idle: { readonly pastTimeout: boolean },
) {
  const views = endpoints.map(({ workers: count, min, idleMs, low, priority }, index) => {
    const id = `ep-${index}`
    const readyAt = NOW - 7_200_000
    const workers = Array.from({ length: Math.max(count, min) }, (_, at) =>
      record(`${id}-w${at}`, {
        endpointId: id,
        hostId: `h${at % hosts}`,
        gpus: [{ uuid: `${id}-g${at}`, name: gpu('g').name, simulated: true }],
        createdAt: readyAt - 2000,
        readyAt,
        lastJobEndedAt: NOW - idleMs - (idle.pastTimeout ? 3_600_001 : 0),
      }),
    )
    const settings = { workersMin: min, workersMax: 8, idleTimeoutMs: 3_600_001, priority }
    const demand = { waiting: idle.pastTimeout ? 0 : low, waitingNormal: 0, oldestWaitingAt: undefined }
    return view(endpoint(id, { settings }), { workers, demand })
  })
  const all = views.flatMap(({ workers }) => workers)
  const machines = Array.from({ length: hosts }, (_, at) => {
    const here = all.filter(({ hostId }) => hostId === `h${at}`)
    const cards = here.flatMap(({ gpus }) => gpus.map(({ uuid }) => gpu(uuid)))
    return host(
      `h${at}`,
      [...cards, gpu(`free-${at}`)],
      here.map((worker) => container(worker)),
    )
  })
  return { views, machines }
}

test('in a quiet world the plan is empty, and says so again', () => {
  fc.assert(
    fc.property(seedOfWorld, (seed) => {
      const { views, machines } = worldOf(seed, { pastTimeout: false })
      const world = observed(views, machines)
      const { actions, statuses } = plan(world, NOW)
      expect(actions).toEqual([])
      expect([...statuses.values()].every(({ throttled, unhealthy }) => throttled + unhealthy === 0)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('a host that cannot be seen loses no worker, although each of them is past its idle timeout; what is seen shrinks to its minimum', () => {
  fc.assert(
    fc.property(seedOfWorld, fc.nat(2), (seed, at) => {
      const { views, machines } = worldOf(seed, { pastTimeout: true })
      const blind = `h${at % seed.hosts}`
      const hosts = machines.map((machine) =>
        machine.hostId === blind ? { ...machine, workers: undefined, awaySince: NOW - 1000 } : machine,
      )
      const drains = plan(observed(views, hosts), NOW).actions.flatMap((action) => (action.kind === 'drain' ? [action] : []))
      expect(drains.filter(({ hostId }) => hostId === blind)).toEqual([])
      for (const { workers, endpoint: found, endpointId } of views) {
        const gone = drains.filter((drain) => drain.endpointId === endpointId).length
        expect(workers.length - gone).toBeGreaterThanOrEqual(Math.min(workers.length, found?.settings.workersMin ?? 0))
      }
    }),
    { numRuns: 200 },
  )
})

test('equal snapshots give equal plans, so a scaler that takes over continues what the other one began', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }), (jobs) => {
      const views = jobs.map((count, index) => view(endpoint(`ep-${index}`, { settings: { workersMax: 3 } }), waiting(count, 60_000)))
      const world = () => observed(views, [host('h1', [gpu('g0'), gpu('g1'), gpu('g2')])])
      expect(plan(world(), NOW)).toEqual(plan(world(), NOW))
    }),
    { numRuns: 50 },
  )
})
