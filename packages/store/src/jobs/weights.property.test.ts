// The weights of an endpoint under everything that may happen to it at once in two processes, with real Redis: the counters always say what lies in
// its keys, and say 0 once everything has ended (ADR 42). What each step answers when they come one by one: job-machine.property.test.ts.
import { RunyardError } from '@runyard/schema'
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { completed, drainStream, submission, useStores, type Store } from '../testing/test-store.ts'
import { checkWeights, NOTHING, readWeights } from '../testing/weight-check.ts'

const stores = useStores()
const IDS = ['a', 'b', 'c'] as const
const BATCHES = ['x', 'y'] as const
/** Of single submits and of requests of batches. */
const JOBS = [...IDS, ...BATCHES.flatMap((name) => IDS.map((id) => `${name}-${id}`))]
const LONG_AFTER = 48 * 60 * 60 * 1000
const RETENTION = {
  asyncMs: 60_000,
  syncMs: 60_000,
  keepBytes: 4000,
  queueJobs: 4,
  queueBytes: 5000,
  unreadBytes: 1200,
  idempotencyKeys: 3,
}

const job = fc.constantFrom(...IDS)
const batch = fc.constantFrom(...BATCHES)
/** Mostly the one that may. */
const actor = fc.constantFrom('holder', 'holder', 'holder', 'w0', 'w1')
const worker = fc.constantFrom('w0', 'w1', 'w2')
const size = fc.nat(600)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('submit' as const), job, size, lowPriority: fc.boolean(), once: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), worker }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('chunk' as const), job, by: actor, size }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('read' as const), job, limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), job, by: actor, fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('takeBack' as const), job, by: actor }) },
  fc.record({ kind: fc.constant('giveBack' as const), job, by: actor }),
  fc.record({ kind: fc.constant('cancel' as const), job }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), job }) },
  fc.record({ kind: fc.constant('purge' as const) }),
  fc.record({ kind: fc.constant('endPurged' as const) }),
  fc.record({ kind: fc.constant('ttl' as const) }),
  fc.record({ kind: fc.constant('retain' as const), job }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), batch, job, size }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), batch, job }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('finalize' as const), batch }) },
  fc.record({ kind: fc.constant('cancelBatch' as const), batch }),
  fc.record({ kind: fc.constant('expireBatch' as const), batch }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface World {
  readonly store: Store
  readonly raw: Redis
  readonly endpointId: string
  readonly base: string
}

const text = (length: number): string => 'x'.repeat(length)

/** Who took the job last, where the one that holds it is to act. */
async function whoActs({ raw, base }: World, id: string, by: string): Promise<string> {
  return by === 'holder' ? ((await raw.hget(`${base}:${id}`, 'pb')) ?? 'w0') : by
}

const STEPS: { [K in Step['kind']]: (world: World, action: Extract<Step, { kind: K }>) => Promise<unknown> } = {
  submit({ store, endpointId }, { job: id, size: length, lowPriority, once }) {
    const submitted = submission(id, { input: text(length), policy: { lowPriority } })
    if (!once) return store.jobs.submit(endpointId, submitted)
    return store.jobs.submitOnce(endpointId, submitted, { key: id, fingerprint: 'same', windowMs: 60_000 })
  },
  take: ({ store, endpointId }, { worker: id }) => store.jobs.take(endpointId, id),
  chunk: async (world, { job: id, by, size: length }) =>
    world.store.jobs.appendChunk({ endpointId: world.endpointId, jobId: id, workerId: await whoActs(world, id, by), chunk: text(length) }),
  read: ({ store, endpointId }, { job: id, limit }) => drainStream(store.jobs, endpointId, id, limit),
  settle: async (world, { job: id, by, fails }) =>
    world.store.jobs.settle({
      endpointId: world.endpointId,
      jobId: id,
      workerId: await whoActs(world, id, by),
      outcome: fails ? { status: 'FAILED', error: 'x' } : completed(text(100)),
    }),
  async takeBack(world, { job: jobId, by }) {
    const { store, endpointId } = world
    const workerId = await whoActs(world, jobId, by)
    return store.jobs.takeBack({ endpointId, jobId, workerId }, { budget: 1, evidence: 'lost', withAll: true })
  },
  giveBack: async (world, { job: id, by }) => world.store.jobs.giveBack(world.endpointId, id, await whoActs(world, id, by)),
  cancel: ({ store, endpointId }, { job: id }) => store.jobs.forceSettle(endpointId, id, { status: 'CANCELLED' }),
  retry: ({ store, endpointId }, { job: id }) => store.jobs.retry(endpointId, id),
  purge: ({ store, endpointId }) => store.jobs.purge(endpointId),
  endPurged: ({ store, endpointId }) => store.jobs.endPurged(endpointId),
  ttl: ({ store, endpointId }) => store.jobs.sweepExpired(endpointId, Date.now() + LONG_AFTER),
  retain: ({ store, endpointId }, { job: id }) => store.jobs.setRetention(endpointId, id, 1),
  async add({ store, endpointId }, { batch: batchId, job: id, size: length }) {
    const at = { endpointId, batchId }
    if ((await store.batches.get(at)) === undefined) await store.batches.create(at, 10)
    return store.batches.add(at, [submission(`${batchId}-${id}`, { input: text(length) })], { requests: 10, bytes: 10_000 })
  },
  drop: ({ store, endpointId }, { batch: batchId, job: id }) => store.batches.drop({ endpointId, batchId }, `${batchId}-${id}`),
  async finalize({ store, endpointId }, { batch: batchId }) {
    await store.batches.finalize({ endpointId, batchId }, 10)
    await store.batches.submit({ endpointId, batchId }, 0)
  },
  cancelBatch: ({ store, endpointId }, { batch: batchId }) => store.batches.cancel({ endpointId, batchId }),
  expireBatch: ({ raw, base }, { batch: id }) => raw.del(`${base}:b:${id}`, `${base}:b:${id}:ids`, `${base}:b:${id}:drafts`),
}

async function act(world: World, action: Step): Promise<void> {
  const play = STEPS[action.kind] as (world: World, action: Step) => Promise<unknown>
  await play(world, action).catch((error: unknown) => {
    if (!(error instanceof RunyardError && error.code === 'too_many_requests')) throw error
  })
}

/** Ids are used once, as in life; a submit under a known id is none. */
function withoutRepeats(steps: readonly Step[]): readonly Step[] {
  const seen = new Set<string>()
  return steps.filter((action) => {
    if (action.kind !== 'submit' && action.kind !== 'add') return true
    const id = action.kind === 'add' ? `${action.batch}-${action.job}` : action.job
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

async function endAll({ store: { jobs, batches }, raw, base, endpointId }: World): Promise<void> {
  for (const batchId of BATCHES) await batches.cancel({ endpointId, batchId })
  await jobs.endPurged(endpointId)
  await jobs.purge(endpointId)
  await jobs.endPurged(endpointId)
  for (const { jobId } of await jobs.leases(endpointId)) await jobs.forceSettle(endpointId, jobId, { status: 'CANCELLED' })
  await checkWeights(raw, base, { jobs: JOBS, batches: BATCHES })
  await jobs.sweepRegister(endpointId, Date.now() + LONG_AFTER)
}

describe('the weights of an endpoint', () => {
  test('are those of its keys in any order of events, also at once in two processes, and 0 at the end', { timeout: 300_000 }, async () => {
    const [one, two] = [await stores.open({ retention: RETENTION }), await stores.open({ retention: RETENTION })]
    const raw = stores.raw()
    let worlds = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 6 }),
        async (drawn, atOnce) => {
          worlds += 1
          const endpointId = `ep-${worlds}`
          const world = { store: one, raw, endpointId, base: `${stores.prefix()}:{${endpointId}}` }
          const steps = withoutRepeats(drawn)
          for (let from = 0; from < steps.length; from += atOnce) {
            const some = steps.slice(from, from + atOnce)
            await Promise.all(some.map((action, n) => act({ ...world, store: n % 2 === 0 ? one : two }, action)))
            await checkWeights(raw, world.base, { jobs: JOBS, batches: BATCHES })
          }
          await endAll(world)
          expect(await readWeights(raw, world.base)).toEqual(NOTHING)
        },
      ),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 50) },
    )
  })
})
