// What a search returns from the newest chunks and from memory is what a look at all jobs would.
import type { PastJob } from '@runyard/core'
import { openStore, type Store } from '@runyard/store'
import { startRedis } from '@runyard/testing'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPast, type Past } from '../parts/past.ts'
import { readJob } from './job-detail.ts'
import { findPast, type Wanted } from './job-search.ts'
import { naming } from './own-endpoints.ts'

const CHUNKS = 260
const STATUSES = ['COMPLETED', 'COMPLETED', 'COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED'] as const
const scope = new AsyncDisposableStack()
const name = naming([
  { id: 'ep-1', name: 'caption' },
  { id: 'ep-2', name: 'upscale' },
])
const now = Date.now() - 60_000
const jobs: PastJob[] = []
let deps: { readonly store: Store; readonly past: Past }

beforeAll(async () => {
  const redis = await startRedis()
  scope.defer(() => redis.stop())
  const options = { redisUrl: redis.url, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 } }
  const store = scope.use(await openStore({ ...options, history: { bytes: 1e7, days: 7 } }))
  // A chunk every half a minute, so that most are far from the newest 128.
  for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
    const at = now - (CHUNKS - chunk) * 30_000
    const own = [job(at, 0), job(at - 20_000, 1), job(at - 50_000, 2)]
    jobs.push(...own)
    await store.history.addJobs(own, {})
  }
  deps = { store, past: openPast(store.history) }
})
afterAll(() => scope.disposeAsync())

/** Every second retries the one before it that failed, if that did. */
function job(endedAt: number, place: number): PastJob {
  const count = jobs.length + place
  const status = STATUSES[((count * 5) % 11) % STATUSES.length] ?? 'COMPLETED'
  const failure = status === 'FAILED' ? { fingerprint: `f${count % 3}`, error: `no cheese ${count % 3}` } : {}
  const facts = { endpointId: `ep-${1 + (count % 3)}`, status, cause: 'result', retries: count % 2, workerId: `w${count % 4}` } as const
  const key = count % 2 === 0 ? { keyId: 'k1' } : {}
  return { id: idOf(count), ...facts, ...key, submittedAt: endedAt - 30, startedAt: endedAt - 10, endedAt, ...failure }
}

function idOf(count: number): string {
  const before = count % 2 === 0 ? jobs[count - 41] : undefined
  if (before?.status === 'FAILED' || before?.status === 'TIMED_OUT') return before.id
  return count % 7 === 6 ? `job-${count}` : `${count % 2 === 0 ? 'sync-' : ''}${crypto.randomUUID()}-u1`
}

async function findAll(wanted: Wanted, limit: number) {
  const found = []
  let cursor: string | undefined
  do {
    const page = await findPast(deps, name, { wanted, limit, cursor })
    found.push(...page.jobs)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

function findPlainly({ since = 0, until = Infinity, status, worker, key, error, q }: Wanted): readonly PastJob[] {
  const listed = new Set<string>()
  const names = new Map([
    ['ep-1', 'caption'],
    ['ep-2', 'upscale'],
  ])
  return jobs
    .filter(({ endedAt }) => endedAt < until)
    .toSorted((a, b) => b.endedAt - a.endedAt || (a.id < b.id ? 1 : -1))
    .filter(({ id }) => !listed.has(id) && listed.add(id))
    .filter(({ endpointId, endedAt }) => names.has(endpointId) && endedAt >= since)
    .filter(
      (one) =>
        [undefined, one.status].includes(status) && [undefined, one.workerId].includes(worker) && [undefined, one.keyId].includes(key),
    )
    .filter((one) => error === undefined || one.fingerprint === error || one.error?.includes(error))
    .filter(
      (one) =>
        q === undefined || [one.id, one.error, one.workerId, one.endpointId, names.get(one.endpointId)].some((text) => text?.includes(q)),
    )
}

const rare = <const T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
const anyWanted = fc.record({
  status: rare('FAILED', 'TIMED_OUT', 'CANCELLED', 'COMPLETED'),
  since: rare(now - 100 * 60_000),
  until: rare(now, now - 10 * 60_000, now - 90 * 60_000),
  worker: rare('w1', 'w9'),
  key: rare('k1'),
  error: rare('f1', 'cheese 2', 'caption'),
  q: fc.option(
    fc.oneof(
      fc.constantFrom('caption', 'ep-2', 'w3', 'job-12', 'cheese 1', 'sync-', 'zz'),
      fc
        .tuple(fc.nat(CHUNKS * 3 - 1), fc.nat(30), fc.integer({ min: 1, max: 40 }))
        .map(([at, from, length]) => jobs[at]?.id.slice(from, from + length)),
    ),
    { nil: undefined },
  ),
})

it('finds what a look at all jobs finds, in its order, each job as it ended last', async () => {
  const same = fc.asyncProperty(anyWanted, async (wanted) => {
    expect((await findAll(wanted, 1000)).map(({ id, endedAt }) => [id, endedAt])).toEqual(
      findPlainly(wanted).map(({ id, endedAt }) => [id, endedAt]),
    )
  })
  await fc.assert(same, { numRuns: 60 })
})

it('gives in pages what it gives at once, but for earlier ends of a job', async () => {
  for (const wanted of [{}, { status: 'CANCELLED' as const }, { status: 'FAILED' as const, worker: 'w1' }]) {
    const seen = new Set<string>()
    const paged = (await findAll(wanted, 7)).filter(({ id }) => !seen.has(id) && seen.add(id))
    const all = findPlainly(wanted).map(({ id }) => id)
    expect(paged.map(({ id }) => id).filter((id) => all.includes(id))).toEqual(all)
  }
})

it('reads all that is kept of a job far back by its id, as it ended last', async () => {
  const far = now - CHUNKS * 20_000
  const ends = [...Map.groupBy(jobs, ({ id }) => id).values()].map((own) => own.toSorted((a, b) => b.endedAt - a.endedAt))
  const isAsked = (one: PastJob | undefined): boolean => one !== undefined && one.endedAt < far && one.endpointId !== 'ep-3'
  const [{ endpointId, ...last } = job(now, 0)] = ends.find(([one, earlier]) => isAsked(one) && earlier !== undefined) ?? []
  const look = { ...deps, reasonOf: () => Promise.reject(new Error('it does not wait')) }
  const own = { all: new Map(), asked: [], name }
  expect(await readJob(look, own, last.id)).toMatchObject({ ...last, endpoint: { id: endpointId } })
  await expect(readJob(look, own, `${crypto.randomUUID()}-u1`)).rejects.toThrow('There is no job')
})
