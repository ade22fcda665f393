// Several workers on one card (ADR 61): what never happens, whatever endpoints ask for, and who gets a card in which order.
import type { WorkerRecord } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plan } from './plan.ts'
import { container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'
import { runTimeline, type Actor, type Timeline } from './simulation/timeline.ts'

/** The cards of the fixture have 24e9 bytes, 22,888 MiB. */
const THIRD = '7600'
const every = (stepMs: number, forMs: number, from = 0) =>
  Array.from({ length: Math.ceil((forMs - from) / stepMs) }, (_, n) => from + n * stepMs)

interface Wish {
  readonly budgetMib?: string
  readonly count?: number
  readonly settings?: object
}

function actor(id: string, { budgetMib, count = 1, settings = {} }: Wish, change: Partial<Actor> = {}): Actor {
  const env = budgetMib === undefined ? {} : { RUNYARD_GPU_MEMORY_MIB: budgetMib }
  const gpuRequest = { pools: ['ADA_24'], excludedTypes: [], count, allowedCudaVersions: [] }
  const found = endpoint(id, { spec: { gpu: gpuRequest, env }, settings: { workersMax: 1, idleTimeoutMs: 2000, ...settings } })
  return { endpoint: found, startMs: 2000, jobMs: 1000, jobsAt: [], ...change }
}

const firstStart = ({ jobs }: Timeline, id: string) => jobs.find((job) => job.endpointId === id)?.startedAt ?? Infinity
const waits = ({ jobs }: Timeline, id: string) =>
  jobs.filter((job) => job.endpointId === id).map(({ submittedAt, startedAt = Infinity }) => startedAt - submittedAt)

/** Cards with more memory given away than they have, and cards of several workers of which one has no budget. */
function wrongCards(workers: readonly WorkerRecord[]): readonly string[] {
  const held = workers.flatMap(({ gpus }) => gpus)
  return [...Map.groupBy(held, ({ uuid }) => uuid)].flatMap(([uuid, parts]) => {
    const bytes = parts.reduce((sum, { part }) => sum + (part?.bytes ?? Infinity), 0)
    return parts.length > 1 && bytes > gpu(uuid).memoryBytes ? [uuid] : []
  })
}

test('three endpoints with a third of a card each work on one card at the same time', () => {
  const actors = ['a', 'b', 'c'].map((id) => actor(id, { budgetMib: THIRD }, { jobsAt: every(500, 30_000) }))
  const line = runTimeline(actors, { cards: 1, forMs: 30_000 })
  expect(line.ready.some((at) => ['a', 'b', 'c'].every((id) => at.get(id) === 1))).toBe(true)
  expect(line.actions.filter(({ kind }) => kind === 'start')).toHaveLength(3)
})

test('workers with a budget fill a card before they take the next one, so that whole cards stay free', () => {
  const actors = ['a', 'b'].map((id, n) => actor(id, { budgetMib: THIRD }, { jobsAt: [n * 4000], jobMs: 20_000 }))
  const whole = actor('whole', {}, { jobsAt: [8000] })
  const line = runTimeline([...actors, whole], { cards: 2, forMs: 20_000 })
  expect(waits(line, 'whole')[0]).toBeLessThan(4000)
})

test.each([
  ['has worked longest', { readyAt: NOW - 90_000 }],
  ['is ready', {}],
])('of several cards, the one whose worker %s is kept for a job that needs it alone', (_, change) => {
  const part = (uuid: string) => [{ uuid, name: gpu(uuid).name, simulated: true, part: { bytes: 8e9, ofBytes: 24e9 } }]
  const first = record('w1', { endpointId: 'ep-old', gpus: part('g1'), ...change })
  const { readyAt: _ready, ...second } = record('w2', { endpointId: 'ep-old', hostId: 'h2', gpus: part('g2') })
  const ready = 'readyAt' in change ? { ...second, readyAt: NOW - 10_000 } : second
  const shared = (id: string) => actor(id, { budgetMib: THIRD, settings: { workersMax: 4 } }).endpoint
  const { actions } = plan(
    observed(
      [
        view(actor('ep-whole', {}).endpoint, waiting(1, 60_000)),
        view(shared('ep-old'), {
          workers: [first, ready],
          leases: ['w1', 'w2'].map((id) => ({ ...lease(`j-${id}`, id), endpointId: 'ep-old' })),
        }),
        view(shared('ep-new'), waiting(1, 1000)),
      ],
      [host('h1', [gpu('g1')], [container(first)]), host('h2', [gpu('g2')], [container(ready)])],
    ),
    NOW,
  )
  expect(actions.filter(({ kind }) => kind === 'start')).toMatchObject([{ endpointId: 'ep-new', hostId: 'h2' }])
})

describe('a job that needs a whole card', () => {
  test('waits for workers that share the card, then gets it, and they get it back', () => {
    const actors = ['a', 'b', 'c'].map((id) => actor(id, { budgetMib: THIRD }, { jobsAt: every(500, 60_000) }))
    const whole = actor('whole', {}, { jobsAt: [10_000, 30_000] })
    const line = runTimeline([...actors, whole], { cards: 1, forMs: 60_000 })
    for (const wait of waits(line, 'whole')) expect(wait).toBeLessThan(15_000)
    const after = line.jobs.filter(({ endpointId, startedAt = 0 }) => endpointId !== 'whole' && startedAt > 45_000)
    expect(after.length).toBeGreaterThan(10)
    expect(line.brokenOff).toBe(0)
  })

  test('is not starved by endpoints that come to the card one after another', () => {
    // A job of another endpoint every 2 s: some worker on the card is always younger than its turn, and each has gone when its endpoint comes again.
    const crowd = Array.from({ length: 12 }, (_, n) =>
      actor(`s${n}`, { budgetMib: THIRD }, { jobsAt: every(24_000, 200_000, n * 2000), jobMs: 3000 }),
    )
    const line = runTimeline([...crowd, actor('whole', {}, { jobsAt: [20_000, 80_000, 140_000] })], { cards: 1, forMs: 200_000 })
    for (const wait of waits(line, 'whole')) expect(wait).toBeLessThan(20_000)
    for (const { endpoint: found } of crowd) expect(firstStart(line, found.id)).toBeLessThan(80_000)
  })

  test('of two cards gets both, although others share them', () => {
    const crowd = Array.from({ length: 8 }, (_, n) =>
      actor(`s${n}`, { budgetMib: THIRD }, { jobsAt: every(16_000, 120_000, n * 2000), jobMs: 3000 }),
    )
    const line = runTimeline([...crowd, actor('pair', { count: 2 }, { jobsAt: [20_000, 70_000] })], { cards: 2, forMs: 120_000 })
    for (const wait of waits(line, 'pair')) expect(wait).toBeLessThan(25_000)
  })

  test('does not keep a card from others where a minimum of workers holds it anyway', () => {
    const fixed = actor('fixed', { budgetMib: THIRD, settings: { workersMin: 1 } })
    const whole = actor('whole', {}, { jobsAt: [5000] })
    const late = actor('late', { budgetMib: THIRD }, { jobsAt: [10_000] })
    const line = runTimeline([fixed, whole, late], { cards: 1, forMs: 20_000 })
    expect(firstStart(line, 'whole')).toBe(Infinity)
    expect(waits(line, 'late')[0]).toBeLessThan(4000)
  })
})

const seedOfPool = fc.record({
  cards: fc.integer({ min: 1, max: 3 }),
  actors: fc.array(
    fc.record({
      budget: fc.constantFrom(undefined, 4000, 7600, 12_000, 22_888),
      isPair: fc.boolean(),
      workersMin: fc.constantFrom<number>(0, 0, 0, 1),
      workersMax: fc.integer({ min: 1, max: 3 }),
      priority: fc.constantFrom(1, 1, 3),
      jobsAt: fc.array(fc.nat(40_000), { minLength: 1, maxLength: 6 }),
      jobMs: fc.integer({ min: 250, max: 8000 }),
    }),
    { minLength: 2, maxLength: 5 },
  ),
})
type Pool = typeof seedOfPool extends fc.Arbitrary<infer T> ? T : never

function play({ cards, actors }: Pool, forMs: number): Timeline {
  const all = actors.map(({ budget, isPair, workersMin, workersMax, priority, jobsAt, jobMs }, n) => {
    const settings = { workersMin, workersMax: Math.max(workersMin, workersMax), priority }
    const wish = budget === undefined ? { count: isPair && cards > 1 ? 2 : 1 } : { budgetMib: String(budget) }
    return actor(`ep-${n}`, { ...wish, settings }, { jobsAt, jobMs })
  })
  return runTimeline(all, { cards, forMs })
}

test('the budgets on a card never exceed its memory, and no two workers are on a card unless both have budgets', () => {
  fc.assert(
    fc.property(seedOfPool, (pool) => {
      expect(play(pool, 45_000).workers.flatMap(wrongCards)).toEqual([])
    }),
    { numRuns: 30 },
  )
})

test('where no minimum holds cards, every job starts, whatever shares the cards', () => {
  fc.assert(
    fc.property(seedOfPool, (seed) => {
      const pool = { ...seed, actors: seed.actors.map((found) => ({ ...found, workersMin: 0 })) }
      expect(play(pool, 250_000).jobs.filter(({ startedAt }) => startedAt === undefined)).toEqual([])
    }),
    { numRuns: 10 },
  )
})
