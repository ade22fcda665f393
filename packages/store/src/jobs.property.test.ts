// Safety of a job's life under any order of events, with real Redis: no accepted job is without an end, exactly one outcome is
// applied, an outcome never changes but by a retry, no worker of an earlier life writes into a later one, every take-back counts.
import type { JobRecord } from '@runyard/schema'
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { completed, submission, useStores } from './test-store.ts'
import type { JobStore } from './types.ts'

const stores = useStores()
const BUDGET = 2
const JOBS = ['a', 'b', 'c'] as const

const job = fc.constantFrom(...JOBS)
const slot = fc.constantFrom<0 | 1>(0, 1)
const step = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), job }),
  fc.record({ kind: fc.constant('take' as const), slot }),
  fc.record({ kind: fc.constant('settle' as const), slot, job, fails: fc.boolean() }),
  fc.record({ kind: fc.constant('forceSettle' as const), job, fails: fc.boolean() }),
  fc.record({ kind: fc.constant('retry' as const), job }),
  fc.record({ kind: fc.constant('purge' as const) }),
  fc.record({ kind: fc.constant('takeBack' as const), slot: fc.option(slot, { nil: undefined }), job }),
  fc.record({ kind: fc.constant('giveBack' as const), slot, job }),
  fc.record({ kind: fc.constant('expire' as const), job }),
  fc.record({ kind: fc.constant('chunk' as const), slot, job }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What a job must look like, kept beside the real thing. */
interface Model {
  state: 'waiting' | 'leased' | 'settled'
  /** While leased; undefined = the lease has run out. */
  holder: string | undefined
  attempts: number
  /** Who took it last in this life, and in all earlier ones. */
  last: string | undefined
  past: string[]
  record?: JobRecord | undefined
}

interface World {
  readonly jobs: JobStore
  readonly raw: Redis
  readonly endpointId: string
  readonly models: Map<string, Model>
  readonly workers: [string, string]
  takeBacks: number
}

let worlds = 0

function createWorld(jobs: JobStore, raw: Redis): World {
  worlds += 1
  return { jobs, raw, endpointId: `ep-${worlds}`, models: new Map(), workers: ['w0', 'w1'], takeBacks: 0 }
}

/** A worker that loses a lease is retired: another takes its place. */
function retire(world: World, worker: string | undefined): void {
  const at = world.workers.findIndex((id) => id === worker)
  if (at >= 0) world.workers[at] = `${worker}x`
}

async function takeStep(world: World, worker: string): Promise<void> {
  const taken = await world.jobs.take(world.endpointId, worker)
  const waiting = [...world.models.values()].filter((model) => model.state === 'waiting').length
  if (taken === undefined) {
    const isBarred = [...world.models.values()].some((model) => model.state === 'waiting' && model.past.includes(worker))
    if (isBarred) retire(world, worker)
    return expect(isBarred || waiting === 0).toBe(true)
  }
  const model = world.models.get(taken.id)
  expect(model?.state).toBe('waiting')
  if (model === undefined) return
  Object.assign(model, { state: 'leased', holder: worker, last: worker, attempts: model.attempts + 1 })
  expect(model.past).not.toContain(worker)
  expect(taken.attempt).toBe(model.attempts)
}

async function settleStep(world: World, id: string, { worker, fails }: { worker: string; fails: boolean }): Promise<void> {
  const model = world.models.get(id)
  const result = await world.jobs.settle(world.endpointId, id, worker, fails ? { status: 'FAILED', error: worker } : completed(worker))
  const isHolder = model?.state === 'leased' && model.holder === worker
  expect(result).toBe(isHolder ? 'settled' : model?.state === 'settled' ? 'already_settled' : 'not_holder')
  if (isHolder) await nowSettled(world, id, model)
}

async function nowSettled(world: World, id: string, model: Model): Promise<void> {
  model.state = 'settled'
  model.record = await world.jobs.get(world.endpointId, id)
  expect(model.record?.retries).toBe(Math.max(0, model.attempts - 1))
}

async function forceSettleStep(world: World, id: string, status: 'FAILED' | 'CANCELLED'): Promise<void> {
  const model = world.models.get(id)
  const { result, heldBy } = await world.jobs.forceSettle(world.endpointId, id, { status })
  expect(result).toBe(model === undefined ? 'unknown' : model.state === 'settled' ? 'already_settled' : 'settled')
  if (model === undefined || model.state === 'settled') return
  expect(heldBy).toBe(model.state === 'leased' ? model.last : undefined)
  await nowSettled(world, id, model)
}

async function purgeStep(world: World): Promise<void> {
  const waiting = [...world.models].filter(([, model]) => model.state === 'waiting')
  expect(await world.jobs.purge(world.endpointId)).toBe(waiting.length)
  for (const [id, model] of waiting) {
    await nowSettled(world, id, model)
    expect(model.record?.status).toBe('CANCELLED')
  }
}

function expectedOfRetry(model: Model | undefined): string {
  if (model === undefined) return 'unknown'
  if (model.record === undefined) return model.holder === undefined ? 'IN_QUEUE' : 'IN_PROGRESS'
  return model.record.status === 'FAILED' ? 'retried' : model.record.status
}

async function retryStep(world: World, id: string): Promise<void> {
  const model = world.models.get(id)
  const result = await world.jobs.retry(world.endpointId, id)
  expect(result).toBe(expectedOfRetry(model))
  if (model?.record === undefined || result !== 'retried') return
  if (model.record.error?.startsWith('worker lost') === true) world.takeBacks -= 1
  if (model.last !== undefined) model.past.push(model.last)
  Object.assign(model, { state: 'waiting', holder: undefined, attempts: 0, last: undefined, record: undefined })
  for (const worker of model.past) {
    expect(await world.jobs.settle(world.endpointId, id, worker, completed('stale'))).toBe('not_holder')
  }
}

async function takeBackStep(world: World, id: string, workerId: string | undefined): Promise<void> {
  const model = world.models.get(id)
  const lease = { endpointId: world.endpointId, jobId: id, workerId }
  const result = await world.jobs.takeBack(lease, { budget: BUDGET, evidence: 'test' })
  const isAllowed = model?.state === 'leased' && (model.holder === undefined || model.holder === workerId)
  if (!isAllowed) return expect(result).toBe('moot')
  retire(world, workerId)
  world.takeBacks += 1
  expect(result).toBe(model.attempts > BUDGET ? 'failed' : 'requeued')
  if (result === 'failed') return nowSettled(world, id, model)
  Object.assign(model, { state: 'waiting', holder: undefined })
}

async function giveBackStep(world: World, id: string, worker: string): Promise<void> {
  await world.jobs.giveBack(world.endpointId, id, worker)
  const model = world.models.get(id)
  if (model?.state === 'leased' && model.holder === worker) {
    Object.assign(model, { state: 'waiting', holder: undefined, attempts: model.attempts - 1 })
  }
}

async function expireStep(world: World, id: string): Promise<void> {
  await world.raw.del(`${stores.prefix()}:{${world.endpointId}}:${id}:lock`)
  const model = world.models.get(id)
  if (model?.state !== 'leased') return
  retire(world, model.holder)
  model.holder = undefined
}

async function submitStep(world: World, id: string): Promise<void> {
  if (world.models.has(id)) return
  await world.jobs.submit(world.endpointId, submission(id))
  world.models.set(id, { state: 'waiting', holder: undefined, attempts: 0, last: undefined, past: [] })
}

const workerAt = (world: World, at: 0 | 1 | undefined) => (at === undefined ? undefined : world.workers[at])

type Plays = { [K in Step['kind']]: (world: World, action: Extract<Step, { kind: K }>) => Promise<unknown> }
const PLAYS: Plays = {
  submit: (world, action) => submitStep(world, action.job),
  take: (world, action) => takeStep(world, world.workers[action.slot]),
  settle: (world, action) => settleStep(world, action.job, { worker: world.workers[action.slot], fails: action.fails }),
  forceSettle: (world, action) => forceSettleStep(world, action.job, action.fails ? 'FAILED' : 'CANCELLED'),
  retry: (world, action) => retryStep(world, action.job),
  purge: (world) => purgeStep(world),
  takeBack: (world, action) => takeBackStep(world, action.job, workerAt(world, action.slot)),
  giveBack: (world, action) => giveBackStep(world, action.job, world.workers[action.slot]),
  expire: (world, action) => expireStep(world, action.job),
  chunk: (world, action) => world.jobs.appendChunk(world.endpointId, action.job, world.workers[action.slot], 1),
}

async function play(world: World, action: Step): Promise<void> {
  const act = PLAYS[action.kind] as (world: World, action: Step) => Promise<unknown>
  await act(world, action)
}

async function expectRecordsKept(world: World): Promise<void> {
  for (const [id, model] of world.models) {
    const live = { status: model.state === 'leased' && model.holder !== undefined ? 'IN_PROGRESS' : 'IN_QUEUE' }
    expect(await world.jobs.get(world.endpointId, id)).toMatchObject(model.record ?? live)
  }
}

/** What the sweeps and healthy workers do until nothing is left. */
async function runToTheEnd({ jobs, endpointId }: Pick<World, 'jobs' | 'endpointId'>): Promise<void> {
  for (const lease of await jobs.leases(endpointId)) await jobs.takeBack(lease, { budget: BUDGET, evidence: 'swept' })
  for (let taken = await jobs.take(endpointId, 'last'); taken !== undefined; taken = await jobs.take(endpointId, 'last')) {
    await jobs.settle(endpointId, taken.id, 'last', completed('last'))
  }
}

describe('any order of events', () => {
  test('leads each accepted job to one outcome that never changes', async () => {
    const { jobs } = await stores.open()
    const raw = stores.raw()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const world = createWorld(jobs, raw)
        for (const action of steps) await play(world, action)
        await expectRecordsKept(world)
        const requeued = (await jobs.stats(world.endpointId)).retried
        const failed = [...world.models.values()].filter((model) => model.record?.error?.startsWith('worker lost')).length
        expect(requeued + failed).toBe(world.takeBacks)
        await runToTheEnd(world)
        for (const [id, model] of world.models) {
          const ended = { status: expect.stringMatching(/^(COMPLETED|FAILED)$/), settledAt: expect.any(Number) }
          expect(await jobs.get(world.endpointId, id)).toMatchObject(model.record ?? ended)
        }
        expect(await jobs.stats(world.endpointId)).toMatchObject({ waiting: 0, inProgress: 0 })
      }),
      { numRuns: 150 },
    )
  })

  test('also when everything happens at once in two processes', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const raw = stores.raw()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { endpointId } = createWorld(one.jobs, raw)
        for (const id of JOBS) await one.jobs.submit(endpointId, submission(id))
        let ends = 0
        const note = (result: string | number) => {
          ends += typeof result === 'number' ? result : (ENDS.get(result) ?? 0)
        }
        await Promise.all(steps.map((action, n) => race({ jobs: (n % 2 === 0 ? one : two).jobs, raw, endpointId, note }, action)))
        const before = await Promise.all(JOBS.map((id) => two.jobs.get(endpointId, id)))
        expect(ends).toBe(before.filter((record) => record?.settledAt !== undefined).length)
        await runToTheEnd({ jobs: two.jobs, endpointId })
        for (const [n, id] of JOBS.entries()) {
          const wasSettled = before[n]?.settledAt !== undefined
          expect(await one.jobs.get(endpointId, id)).toMatchObject({ ...(wasSettled ? before[n] : {}), settledAt: expect.any(Number) })
        }
        expect(await one.jobs.stats(endpointId)).toMatchObject({ waiting: 0, inProgress: 0 })
      }),
      { numRuns: 60 },
    )
  })
})

/** A retry takes an end back. */
const ENDS = new Map([
  ['settled', 1],
  ['failed', 1],
  ['retried', -1],
])

interface Race extends Pick<World, 'jobs' | 'raw' | 'endpointId'> {
  /** An outcome that was written, or how many at once. */
  readonly note: (result: string | number) => void
}

const RACES: { [K in Step['kind']]: (race: Race, action: Extract<Step, { kind: K }>) => Promise<unknown> } = {
  submit: ({ jobs, endpointId }) => jobs.take(endpointId, 'w0'),
  take: ({ jobs, endpointId }, { slot: at }) => jobs.take(endpointId, `w${at}`),
  settle: async ({ jobs, endpointId, note }, { job: id, slot: at }) => note(await jobs.settle(endpointId, id, `w${at}`, completed(1))),
  forceSettle: async ({ jobs, endpointId, note }, { job: id, fails }) =>
    note((await jobs.forceSettle(endpointId, id, { status: fails ? 'FAILED' : 'CANCELLED' })).result),
  purge: async ({ jobs, endpointId, note }) => note(await jobs.purge(endpointId)),
  retry: async ({ jobs, endpointId, note }, { job: id }) => note(await jobs.retry(endpointId, id)),
  takeBack: async ({ jobs, endpointId, note }, { job: id, slot: at }) => {
    const workerId = at === undefined ? undefined : `w${at}`
    note(await jobs.takeBack({ endpointId, jobId: id, workerId }, { budget: 1, evidence: 'x' }))
  },
  giveBack: ({ jobs, endpointId }, { job: id, slot: at }) => jobs.giveBack(endpointId, id, `w${at}`),
  expire: ({ raw, endpointId }, { job: id }) => raw.del(`${stores.prefix()}:{${endpointId}}:${id}:lock`),
  chunk: ({ jobs, endpointId }, { job: id, slot: at }) => jobs.appendChunk(endpointId, id, `w${at}`, 1),
}

async function race(at: Race, action: Step): Promise<unknown> {
  const act = RACES[action.kind] as (race: Race, action: Step) => Promise<unknown>
  return act(at, action)
}
