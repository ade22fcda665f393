// Which workers yield to which endpoints: single plans (tables) and simulated time (timelines).
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointView, Observed } from './observed.ts'
import { container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'
import { runTimeline, type Actor } from './simulation/timeline.ts'
import { plan } from './plan.ts'

const CARDS = [gpu('g0'), gpu('g1')]
const [FIRST, SECOND] = CARDS.map(({ uuid, name }) => ({ uuid, name, simulated: true }))

/** A worker that holds its own GPU. */
function holder(id: string, card: typeof FIRST, change: Parameters<typeof record>[1] = {}) {
  return record(id, { endpointId: 'ep-hog', gpus: card === undefined ? [] : [card], ...change })
}

function hog(workers: readonly ReturnType<typeof holder>[], change: Partial<EndpointView> = {}, settings = {}): EndpointView {
  return view(endpoint('ep-hog', { settings: { workersMax: 8, ...settings } }), { workers, ...change })
}

const late = (change: Partial<EndpointView> = waiting(1)) => view(endpoint('ep-late'), change)
const held = (...ids: readonly string[]) => ids.map((id) => ({ ...lease(`j-${id}`, id), endpointId: 'ep-hog' }))

function world(endpoints: readonly EndpointView[], change: Partial<Observed> = {}): Observed {
  const containers = endpoints.flatMap(({ workers }) => workers).map((worker) => container(worker))
  return observed(endpoints, [host('h1', CARDS, containers)], change)
}

function yieldsIn(seen: Observed): readonly string[] {
  return plan(seen, NOW).actions.flatMap((action) => (action.kind === 'drain' && action.reason === 'yielded' ? [action.workerId] : []))
}

const OLD = { lastJobEndedAt: NOW - 60_000 }
const NEW = { lastJobEndedAt: NOW - 5000 }
const TWO_IDLE = [holder('new', FIRST, NEW), holder('old', SECOND, OLD)]
const TWO_BUSY = [holder('w1', FIRST, { readyAt: NOW - 60_000 }), holder('w2', SECOND, { readyAt: NOW - 90_000 })]
const LATE_BUSY = {
  workers: [record('w9', { endpointId: 'ep-late', ...(SECOND === undefined ? {} : { gpus: [SECOND] }) })],
  leases: [{ ...lease('j9', 'w9'), endpointId: 'ep-late' }],
}
const RATE = { demand: { waiting: 0, waitingNormal: 0, oldestWaitingAt: undefined, perSecond: 3 } }
const BUSY = { ...waiting(40, 10_000), leases: held('w1', 'w2') }

test.each<[string, Observed, readonly string[]]>([
  ['only the least recently used idle worker yields', world([hog(TWO_IDLE), late()]), ['old']],
  ['no worker yields to an endpoint without waiting jobs', world([hog(TWO_IDLE), late({})]), []],
  ['as many workers yield as are needed', world([hog(TWO_IDLE), late(waiting(2, 5000))]), ['old', 'new']],
  ['workers within the minimum stay', world([hog(TWO_IDLE, {}, { workersMin: 2 }), late()]), []],
  ['workers above the minimum yield', world([hog(TWO_IDLE, {}, { workersMin: 1 }), late(waiting(2, 5000))]), ['old']],
  [
    'an idle worker stays if its own endpoint has a job for it and the shares are equal',
    world([hog(TWO_IDLE.slice(0, 1), waiting(1)), late({ ...waiting(9, 9000), ...LATE_BUSY })]),
    [],
  ],
  [
    'an endpoint below its minimum gets the GPU of an idle worker',
    world([hog(TWO_IDLE), view(endpoint('ep-late', { settings: { workersMin: 1 } }))]),
    ['old'],
  ],
  ['no worker yields while workers cannot report', world([hog(TWO_IDLE), late()], { planeUpSince: undefined }), []],
  [
    'a worker that is already leaving is enough room',
    world([hog([holder('new', FIRST, NEW), holder('old', SECOND, { ...OLD, drainingSince: NOW - 50, retireReason: 'yielded' })]), late()]),
    [],
  ],
  [
    'a worker that is just being retired is enough room',
    world([hog(TWO_IDLE), late()], { inFlight: new Map([['worker:old', 'other']]) }),
    [],
  ],
  [
    'an idle worker yields if the only leaving worker still runs a job of unknown length',
    world([
      hog([holder('new', FIRST, NEW), holder('old', SECOND, { drainingSince: NOW - 50, retireReason: 'yielded' })], {
        leases: held('old'),
      }),
      late(),
    ]),
    ['new'],
  ],
  [
    'the busy worker with the longest turn takes no further job if its endpoint has more than its share',
    world([hog(TWO_BUSY, BUSY), late()]),
    ['w2'],
  ],
  ['idle workers that the rate of requests keeps stay', world([hog(TWO_IDLE, RATE, { requestsPerSecond: 2 }), late(waiting(2, 5000))]), []],
  ['busy workers that the rate of requests keeps stay', world([hog(TWO_BUSY, { ...BUSY, ...RATE }, { requestsPerSecond: 2 }), late()]), []],
  [
    'idle workers above what the rate of requests keeps yield',
    world([hog(TWO_IDLE, RATE, { requestsPerSecond: 3 }), late(waiting(2, 5000))]),
    ['old'],
  ],
  ['busy workers within the minimum stay', world([hog(TWO_BUSY, BUSY, { workersMin: 2 }), late()]), []],
  [
    'no busy worker yields to a minimum without a job',
    world([hog(TWO_BUSY, BUSY), view(endpoint('ep-late', { settings: { workersMin: 1 } }))]),
    [],
  ],
  [
    'a draining busy worker is enough room',
    world([hog([holder('w1', FIRST), holder('w2', SECOND, { drainingSince: NOW - 50, retireReason: 'yielded' })], BUSY), late()]),
    [],
  ],
  [
    'equal shares stay as they are',
    world([hog([holder('w1', FIRST)], { ...waiting(40), leases: held('w1') }), late({ ...waiting(9, 9000), ...LATE_BUSY })]),
    [],
  ],
  [
    'an endpoint that has just yielded does not make another one yield',
    world([hog(TWO_BUSY, BUSY), late({ ...waiting(1), yieldedAt: NOW - 1000 })]),
    [],
  ],
])('%s', (_, seen, expected) => {
  expect(yieldsIn(seen)).toEqual(expected)
})

test.each([
  ['its turn is shorter than 5 s', NOW - 8000, NOW - 4000, NOW - 4000 + 8000],
  ['its turn is shorter than twice its start', NOW - 60_000, NOW - 30_000, NOW + 30_000],
])('a busy worker stays if %s, and the plan is due when the turn is over', (_, containerStartedAt, readyAt, dueAt) => {
  const workers = [holder('w1', FIRST, { containerStartedAt, readyAt }), holder('w2', SECOND, { containerStartedAt, readyAt })]
  const seen = world([hog(workers, { ...BUSY, sweptAt: NOW + 100_000 }), late({ ...waiting(1), sweptAt: NOW + 100_000 })])
  expect(yieldsIn(seen)).toEqual([])
  expect(plan(seen, NOW).nextDueAt).toBe(dueAt)
})

test('a worker stays if its host does not help', () => {
  const other = { uuid: 'x0', name: 'NVIDIA L4', simulated: true }
  const idle = [
    holder('elsewhere', other, { hostId: 'h2', ...OLD }),
    holder('here', FIRST, NEW),
    holder('too', SECOND, { lastJobEndedAt: NOW - 9000 }),
  ]
  const seen = observed(
    [hog(idle), late()],
    [
      host('h2', [gpu('x0', 'NVIDIA L4')], [container(idle[0] ?? holder('', undefined))]),
      host(
        'h1',
        CARDS,
        idle.slice(1).map((worker) => container(worker)),
      ),
    ],
  )
  expect(yieldsIn(seen)).toEqual(['too'])
})

test('no worker yields on a host that takes no other', () => {
  const idle = holder('w1', FIRST, OLD)
  const cordon = { since: 1, reason: 'a fan fails', drain: false }
  expect(yieldsIn(observed([hog([idle]), late()], [{ ...host('h1', CARDS.slice(0, 1), [container(idle)]), cordon }]))).toEqual([])
})

test('of two hosts, the one where fewer workers have to go makes the room', () => {
  const wide = { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 2, allowedCudaVersions: [] } }
  const far = [gpu('g2'), gpu('g3')]
  const both = record('both', {
    endpointId: 'ep-wide',
    hostId: 'h2',
    gpus: far.map(({ uuid, name }) => ({ uuid, name, simulated: true })),
    lastJobEndedAt: NOW - 1000,
  })
  const seen = observed(
    [hog(TWO_IDLE), view(endpoint('ep-wide', { spec: wide }), { workers: [both] }), view(endpoint('ep-late', { spec: wide }), waiting(1))],
    [
      host(
        'h1',
        CARDS,
        TWO_IDLE.map((worker) => container(worker)),
      ),
      host('h2', far, [container(both)]),
    ],
  )
  expect(yieldsIn(seen)).toEqual(['both'])
})

test('a busy CPU worker that had its turn makes room for an endpoint with a smaller share', () => {
  const cpu = { gpu: null, cpu: { instanceIds: ['cpu3g-2-8'] } }
  const size = { cpus: 2, memoryBytes: 8e9 }
  const busy = Array.from({ length: 15 }, (_, n) => holder(`w${n}`, undefined, { ...size, readyAt: NOW - 90_000 - n }))
  const own = record('w99', { endpointId: 'ep-late', ...size })
  const seen = world([
    view(endpoint('ep-hog', { spec: cpu, settings: { workersMax: 20 } }), {
      ...waiting(9, 9000),
      workers: busy,
      leases: held(...busy.map(({ id }) => id)),
    }),
    view(endpoint('ep-late', { spec: cpu }), {
      ...waiting(9, 9000),
      workers: [own],
      leases: [{ ...lease('j99', 'w99'), endpointId: 'ep-late' }],
    }),
  ])
  expect(yieldsIn(seen).at(0)).toBe('w14')
})

test('a worker with two GPUs gets both from one host', () => {
  const wide = view(
    endpoint('ep-late', { spec: { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 2, allowedCudaVersions: [] } } }),
    waiting(1),
  )
  expect(yieldsIn(world([hog(TWO_IDLE), wide]))).toEqual(['old', 'new'])
  expect(yieldsIn(world([hog(TWO_IDLE, {}, { workersMin: 1 }), wide]))).toEqual([])
})

test('of many idle workers only as many yield as the wide one needs', () => {
  const cards = Array.from({ length: 5 }, (_, n) => gpu(`g${n}`))
  const idle = cards.map(({ uuid, name }, n) => holder(`w${n}`, { uuid, name, simulated: true }, { lastJobEndedAt: NOW - 9000 - n }))
  const wide = { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 2, allowedCudaVersions: [] } }
  const endpoints = [hog(idle), view(endpoint('ep-late', { spec: wide }), waiting(1))]
  expect(
    yieldsIn(
      observed(endpoints, [
        host(
          'h1',
          cards,
          idle.map((worker) => container(worker)),
        ),
      ]),
    ),
  ).toEqual(['w4', 'w3'])
})

test('in a large pool a limited number of workers yields at a time, and workers on their way count', () => {
  const cards = Array.from({ length: 60 }, (_, n) => gpu(`g${n}`))
  const idle = cards.map(({ uuid, name }, n) => holder(`w${n}`, { uuid, name, simulated: true }, { lastJobEndedAt: NOW - 1000 - n }))
  const look = (workers: typeof idle) => {
    const hogs = view(endpoint('ep-hog', { settings: { workersMax: 60 } }), { workers })
    const asking = view(endpoint('ep-late', { settings: { workersMax: 60 } }), waiting(60, 9000))
    return yieldsIn(
      observed(
        [hogs, asking],
        [
          host(
            'h1',
            cards,
            workers.map((worker) => container(worker)),
          ),
        ],
      ),
    )
  }
  const first = look(idle)
  expect(first).toHaveLength(32)
  const leaving = idle.map((worker) =>
    first.includes(worker.id) ? { ...worker, drainingSince: NOW, retireReason: 'yielded' as const } : worker,
  )
  expect(look(leaving)).toEqual([])
  expect(look(leaving.filter(({ id }) => !first.includes(id))).length).toBeLessThanOrEqual(32)
})

test('idle CPU workers free memory for a waiting job', () => {
  const cpu = { gpu: null, cpu: { instanceIds: ['cpu3g-2-8'] } }
  const idle = Array.from({ length: 16 }, (_, n) =>
    holder(`w${n}`, undefined, { cpus: 2, memoryBytes: 8e9, lastJobEndedAt: NOW - 1000 * (n + 1) }),
  )
  const seen = world([
    view(endpoint('ep-hog', { spec: cpu, settings: { workersMax: 20 } }), { workers: idle }),
    view(endpoint('ep-late', { spec: cpu }), waiting(1)),
  ])
  expect(yieldsIn(seen)).toEqual(['w15'])
})

test('the status of a throttled endpoint says that room is being made', () => {
  const { statuses } = plan(world([hog(TWO_IDLE), late()]), NOW)
  expect(statuses.get('ep-late')).toMatchObject({
    throttled: 1,
    reason: 'gpus_busy',
    message: expect.stringMatching(/; room for 1 worker is being made$/u),
  })
})

test('free GPUs are distributed in turns: the smallest share gets the next one', () => {
  const cards = Array.from({ length: 4 }, (_, n) => gpu(`g${n}`))
  const many = (id: string, sinceMs: number) => view(endpoint(id, { settings: { workersMax: 8 } }), waiting(8, sinceMs))
  const { actions } = plan(observed([many('ep-a', 60_000), many('ep-b', 5000)], [host('h1', cards)]), NOW)
  const starts = actions.flatMap((action) => (action.kind === 'start' ? [action.endpointId] : []))
  expect(starts).toEqual(['ep-a', 'ep-b', 'ep-a', 'ep-b'])
})

test('free GPUs are distributed by priority: three for priority 3, one for priority 1', () => {
  const cards = Array.from({ length: 4 }, (_, n) => gpu(`g${n}`))
  const many = (id: string, priority: number) => view(endpoint(id, { settings: { workersMax: 8, priority } }), waiting(8, 60_000))
  const { actions } = plan(observed([many('ep-a', 1), many('ep-b', 3)], [host('h1', cards)]), NOW)
  const starts = actions.flatMap((action) => (action.kind === 'start' ? [action.endpointId] : []))
  expect(starts.filter((id) => id === 'ep-b')).toHaveLength(3)
})

// Timelines

const every = (ms: number, count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n * ms)
const actor = (id: string, change: Partial<Actor> & { settings?: Parameters<typeof endpoint>[1] } = {}): Actor => {
  const { settings, ...rest } = change
  return { endpoint: endpoint(id, settings ?? { settings: { workersMax: 8 } }), startMs: 1000, jobMs: 1000, jobsAt: [], ...rest }
}
const firstStart = (jobs: ReturnType<typeof runTimeline>['jobs'], id: string) => jobs.find((job) => job.endpointId === id)?.startedAt
const startsOf = ({ actions }: ReturnType<typeof runTimeline>, id: string) =>
  actions.filter((action) => action.kind === 'start' && action.endpointId === id).length

test('timeline: a late job waits for one start, not for the idle timeout of other workers', () => {
  const line = runTimeline([actor('ep-hog', { jobsAt: every(0, 4) }), actor('ep-late', { jobsAt: [20_000] })], { cards: 2, forMs: 30_000 })
  expect((firstStart(line.jobs, 'ep-late') ?? Infinity) - 20_000).toBeLessThan(3000)
  expect(line.brokenOff).toBe(0)
})

test('timeline: two long queues end up with equal shares and stay there', () => {
  const queue = { jobsAt: every(0, 500), jobMs: 2000 }
  const later = { jobsAt: every(0, 500, 30_000), jobMs: 2000 }
  const line = runTimeline([actor('ep-a', queue), actor('ep-b', later)], { cards: 4, forMs: 120_000 })
  expect(line.ready.slice(-100).map((ready) => [ready.get('ep-a'), ready.get('ep-b')])).toEqual(Array.from({ length: 100 }, () => [2, 2]))
  expect([startsOf(line, 'ep-a'), startsOf(line, 'ep-b')]).toEqual([4, 2])
})

test('timeline: long queues of priority 3 and 1 end up with three GPUs and one, and stay there', () => {
  const queue = { jobsAt: every(0, 500), jobMs: 2000 }
  const line = runTimeline(
    [
      actor('ep-a', { ...queue, settings: { settings: { workersMax: 8, priority: 3 } } }),
      actor('ep-b', { ...queue, jobsAt: every(0, 500, 10_000) }),
    ],
    { cards: 4, forMs: 120_000 },
  )
  expect(line.ready.slice(-100).map((ready) => [ready.get('ep-a'), ready.get('ep-b')])).toEqual(Array.from({ length: 100 }, () => [3, 1]))
  expect([startsOf(line, 'ep-a'), startsOf(line, 'ep-b')]).toEqual([4, 1])
})

test('timeline: on one GPU, priority 4 works about four times as long as priority 1, and neither starves', () => {
  const queue = { jobsAt: every(0, 4000), jobMs: 500, startMs: 2000 }
  const line = runTimeline([actor('ep-a', { ...queue, settings: { settings: { workersMax: 8, priority: 4 } } }), actor('ep-b', queue)], {
    cards: 1,
    forMs: 600_000,
  })
  const done = (id: string) => line.jobs.filter((job) => job.endpointId === id && job.startedAt !== undefined).length
  expect(done('ep-a') / done('ep-b')).toBeGreaterThan(2.5)
  expect(done('ep-a') / done('ep-b')).toBeLessThan(5)
  expect(line.brokenOff).toBe(0)
})

test('timeline: three queues take turns on one GPU, and at most a third of the time is starts', () => {
  const queue = { jobsAt: every(0, 2000), jobMs: 500, startMs: 10_000 }
  const forMs = 600_000
  const line = runTimeline([actor('ep-a', queue), actor('ep-b', queue), actor('ep-c', queue)], { cards: 1, forMs })
  const starts = ['ep-a', 'ep-b', 'ep-c'].map((id) => startsOf(line, id))
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(1)
  expect(Math.min(...starts)).toBeGreaterThanOrEqual(5)
  expect(starts.reduce((sum, count) => sum + count, 0) * 10_000).toBeLessThan(forMs / 2)
  expect(line.brokenOff).toBe(0)
})

test('timeline: no endpoint starves or falls below its minimum, no job is interrupted, starts are bounded', () => {
  const seed = fc.record({
    cards: fc.integer({ min: 1, max: 4 }),
    actors: fc.array(
      fc.record({
        min: fc.integer({ min: 0, max: 1 }),
        startMs: fc.constantFrom(500, 3000, 10_000),
        jobMs: fc.constantFrom(250, 2000, 8000),
        from: fc.nat(60_000),
        everyMs: fc.constantFrom(0, 500, 5000, 20_000),
      }),
      { minLength: 2, maxLength: 4 },
    ),
  })
  const offences = (found: typeof seed extends fc.Arbitrary<infer T> ? T : never): readonly unknown[] => {
    const forMs = 250_000
    const actors = found.actors.map(({ min, startMs, jobMs, from, everyMs }, index) =>
      actor(`ep-${index}`, {
        settings: { settings: { workersMin: index === 0 && found.cards > 1 ? min : 0, workersMax: 4 } },
        startMs,
        jobMs,
        jobsAt: everyMs === 0 ? every(0, 1000, from) : every(everyMs, Math.floor((forMs - from) / everyMs), from),
      }),
    )
    const line = runTimeline(actors, { cards: found.cards, forMs })
    // All others' turns (twice a start, with the start and the last job) must fit in between.
    const longestWait =
      10_000 + actors.reduce((sum, { startMs, jobMs }) => sum + Math.max(5000, 2 * startMs) + 2 * startMs + jobMs + 2000, 0)
    const starved = actors.filter(({ endpoint: { id }, jobsAt: [first = Infinity] }) => {
      const began = firstStart(line.jobs, id)
      return first + longestWait < forMs && (began === undefined || began - first > longestWait)
    })
    const min = actors[0]?.endpoint.settings.workersMin ?? 0
    const fellBelow = line.ready.findIndex(
      (ready, index) => (line.ready[index - 1]?.get('ep-0') ?? 0) >= min && (ready.get('ep-0') ?? 0) < min,
    )
    return [
      ...starved.map(({ endpoint: { id } }) => `${id} starved`),
      ...(fellBelow === -1 ? [] : [`below its minimum at step ${fellBelow}`]),
      ...(line.brokenOff === 0 ? [] : ['a job was broken off']),
    ]
  }
  const { counterexample } = fc.check(
    fc.property(seed, (found) => offences(found).length === 0),
    { numRuns: 20 },
  )
  expect(counterexample === null ? [] : [...offences(counterexample[0]), counterexample[0]]).toEqual([])
})
