// The limit on jobs of an API key (ADR 60), whatever happens to its jobs at once in two processes, with real Redis. Never more jobs wait and run than the key
// may have. The count is that of the jobs that are there, and it is gone once all have ended.
import { RunyardError } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { completed, submission, useStores, type Store } from '../testing/test-store.ts'

const stores = useStores()
const LIMITS: Readonly<Record<string, number>> = { small: 2, large: 4 }
/** The first process submits those of the first list, the second those of the second: an id is submitted once at a time. */
const OWN_IDS = [
  ['a', 'b', 'c', 'd'],
  ['p', 'q', 'r', 's'],
] as const
const IDS = OWN_IDS.flat()

const job = fc.constantFrom(...IDS)
const key = fc.constantFrom('small', 'large', 'free')
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('submit' as const), job, key, once: fc.boolean(), lowPriority: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), job, fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const), job, key }) },
  fc.record({ kind: fc.constant('takeBack' as const), job }),
  fc.record({ kind: fc.constant('cancel' as const), job }),
  fc.record({ kind: fc.constant('purge' as const) }),
  fc.record({ kind: fc.constant('ttl' as const) }),
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

const countedOf = (keyId: string) => (LIMITS[keyId] === undefined ? undefined : { keyId, mostJobs: LIMITS[keyId] })

type Deed<K extends Step['kind']> = (jobs: Store['jobs'], ep: string, step: Extract<Step, { kind: K }>) => Promise<unknown>

const DEEDS: { readonly [K in Step['kind']]: Deed<K> } = {
  async submit(jobs, ep, { job: id, key: keyId, once, lowPriority }) {
    const counted = countedOf(keyId)
    if ((await jobs.get(ep, id)) !== undefined) return
    const wanted = submission(id, { keyId, policy: { lowPriority } })
    await (once ? jobs.submitOnce(ep, wanted, { key: id, fingerprint: 'f', windowMs: 1, counted }) : jobs.submit(ep, wanted, counted))
  },
  take: (jobs, ep) => jobs.take(ep, 'w1'),
  settle(jobs, ep, { job: jobId, fails }) {
    const outcome = fails ? ({ status: 'FAILED', error: 'x' } as const) : completed(1)
    return jobs.settle({ endpointId: ep, jobId, workerId: 'w1', outcome })
  },
  retry: (jobs, ep, { job: id, key: keyId }) => jobs.retry(ep, id, countedOf(keyId)),
  takeBack: (jobs, ep, { job: jobId }) => jobs.takeBack({ endpointId: ep, jobId, workerId: 'w1' }, { budget: 1, evidence: 'lost' }),
  cancel: (jobs, ep, { job: id }) => jobs.forceSettle(ep, id, { status: 'CANCELLED' }),
  async purge(jobs, ep) {
    await jobs.purge(ep)
    await jobs.endPurged(ep)
  },
  ttl: (jobs, ep) => jobs.sweepExpired(ep, Date.now() + 48 * 60 * 60 * 1000),
}

function ownId(step: Step, process: number): Step {
  const own: readonly string[] = OWN_IDS[process] ?? []
  return step.kind === 'submit' && !own.includes(step.job) ? { ...step, kind: 'take' } : step
}

/** A refusal for another reason than the limit of the key is a failure. */
async function perform<K extends Step['kind']>({ jobs }: Store, ep: string, step: Extract<Step, { kind: K }>): Promise<void> {
  try {
    await (DEEDS[step.kind] as Deed<K>)(jobs, ep, step)
  } catch (error) {
    if (!(error instanceof RunyardError && error.refusal === 'key_queue')) throw error
  }
}

test('a key never has more live jobs than its limit, whatever two processes do at once, and nothing is counted once all has ended', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  const raw = stores.raw()
  let run = 0
  const countIn = async (base: string) => {
    const live = await Promise.all(IDS.map((id) => raw.hget(`${base}:${id}`, 'key')))
    const byKey = Map.groupBy(
      live.filter((found) => found !== null),
      (found) => found,
    )
    return Object.fromEntries([...byKey].map(([found, jobs]) => [found, String(jobs.length)]))
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(anyStep, anyStep), { maxLength: 25 }), async (turns) => {
      run += 1
      const ep = `ep-${run}`
      const base = `${stores.prefix()}:{${ep}}`
      for (const turn of turns) {
        await Promise.all(turn.map((step, at) => perform(at === 0 ? one : two, ep, ownId(step, at))))
        const counted = await raw.hgetall(`${base}:r:key-jobs`)
        expect(counted).toEqual(await countIn(base))
        for (const [name, count] of Object.entries(counted)) expect(Number(count)).toBeLessThanOrEqual(LIMITS[name] ?? 0)
      }
      await perform(one, ep, { kind: 'ttl' })
      expect(await raw.exists(`${base}:r:key-jobs`)).toBe(0)
    }),
    { numRuns: 60 },
  )
})
