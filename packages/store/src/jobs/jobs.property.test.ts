// Safety of a job's life when everything happens at once in two processes, with real Redis: no accepted job is without an end, exactly one
// outcome is applied, an outcome never changes but by a retry. What each step answers when they come one by one: job-machine.property.test.ts.
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { completed, submission, useStores } from '../testing/test-store.ts'
import type { JobStore } from '../testing/value-store.ts'

const stores = useStores()
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
  fc.record({ kind: fc.constant('endPurged' as const) }),
  fc.record({ kind: fc.constant('takeBack' as const), slot: fc.option(slot, { nil: undefined }), job }),
  fc.record({ kind: fc.constant('giveBack' as const), slot, job }),
  fc.record({ kind: fc.constant('expire' as const), job }),
  fc.record({ kind: fc.constant('chunk' as const), slot, job }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

let worlds = 0

/** What the sweeps and healthy workers do until nothing is left. */
async function runToTheEnd(jobs: JobStore, endpointId: string): Promise<void> {
  for (const lease of await jobs.leases(endpointId)) await jobs.takeBack(lease, { budget: 2, evidence: 'swept' })
  for (let taken = await jobs.take(endpointId, 'last'); taken; taken = await jobs.take(endpointId, 'last')) {
    await jobs.settle({ endpointId, jobId: taken.id, workerId: 'last', outcome: completed('last') })
  }
}

describe('any order of events', () => {
  test('leads each accepted job to one outcome, also when everything happens at once in two processes', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const raw = stores.raw()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        worlds += 1
        const endpointId = `ep-${worlds}`
        for (const id of JOBS) await one.jobs.submit(endpointId, submission(id))
        let ends = 0
        const note = (result: string | number) => {
          ends += typeof result === 'number' ? result : (ENDS.get(result) ?? 0)
        }
        await Promise.all(steps.map((action, n) => race({ jobs: (n % 2 === 0 ? one : two).jobs, raw, endpointId, note }, action)))
        const before = await Promise.all(JOBS.map((id) => two.jobs.get(endpointId, id)))
        expect(ends).toBe(before.filter((record) => record?.settledAt !== undefined).length)
        await runToTheEnd(two.jobs, endpointId)
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

interface Race {
  readonly jobs: JobStore
  readonly raw: Redis
  readonly endpointId: string
  /** An outcome that was written, or how many at once. */
  readonly note: (result: string | number) => void
}

const RACES: { [K in Step['kind']]: (race: Race, action: Extract<Step, { kind: K }>) => Promise<unknown> } = {
  submit: ({ jobs, endpointId }) => jobs.take(endpointId, 'w0'),
  take: ({ jobs, endpointId }, { slot: at }) => jobs.take(endpointId, `w${at}`),
  settle: async ({ jobs, endpointId, note }, { job: id, slot: at }) =>
    note(await jobs.settle({ endpointId, jobId: id, workerId: `w${at}`, outcome: completed(1) })),
  forceSettle: async ({ jobs, endpointId, note }, { job: id, fails }) =>
    note((await jobs.forceSettle(endpointId, id, { status: fails ? 'FAILED' : 'CANCELLED' })).result),
  purge: async ({ jobs, endpointId, note }) => note(await jobs.purge(endpointId)),
  endPurged: ({ jobs, endpointId }) => jobs.endPurged(endpointId),
  retry: async ({ jobs, endpointId, note }, { job: id }) => note(await jobs.retry(endpointId, id)),
  takeBack: async ({ jobs, endpointId, note }, { job: id, slot: at }) => {
    const workerId = at === undefined ? undefined : `w${at}`
    note(await jobs.takeBack({ endpointId, jobId: id, workerId }, { budget: 1, evidence: 'x' }))
  },
  giveBack: ({ jobs, endpointId }, { job: id, slot: at }) => jobs.giveBack(endpointId, id, `w${at}`),
  expire: ({ raw, endpointId }, { job: id }) => raw.del(`${stores.prefix()}:{${endpointId}}:${id}:lock`),
  chunk: ({ jobs, endpointId }, { job: id, slot: at }) => jobs.appendChunk({ endpointId, jobId: id, workerId: `w${at}`, chunk: 1 }),
}

async function race(at: Race, action: Step): Promise<unknown> {
  const act = RACES[action.kind] as (race: Race, action: Step) => Promise<unknown>
  return act(at, action)
}
