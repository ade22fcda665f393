// What the routes of the history answer about jobs, failures and workers that a real gateway has seen.
import type {
  FoundJob,
  JobDetailView,
  JobSearchView,
  WorkerLifeListView,
  WorkerLifeView,
  FailureListView,
  BulkView,
} from '@runyard/schema/api'
import { expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'
import { findLive, parseLiveCursor } from './live-search.ts'

const WAIT = { timeout: 30_000, interval: 50 }
const OOM = (size: number) => `CUDA out of memory. Tried to allocate ${size}.00 MiB`
let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({}, (site) => {
  ;({ gateway, ep, worker } = site)
})

const get = <T>(path: string) => gateway.read<T>(`/runyard/v1/${path}`)
const find = (query = '') => get<JobSearchView>(`jobs?endpoint=${ep}${query}`)
const idsOf = ({ jobs }: JobSearchView) => jobs.map(({ id }) => id)
const bulk = async (body: object) => (await gateway.call('/runyard/v1/jobs/bulk', { body })).as<BulkView>()

/** Jobs that fail so, or complete; their ids. */
async function end(...errors: readonly (string | undefined)[]): Promise<readonly string[]> {
  const ids: string[] = []
  for (const error of errors) {
    const id = await worker.startJob()
    await worker.done(id, error === undefined ? { output: 1 } : { error })
    ids.push(id)
  }
  await vi.waitFor(async () => expect(idsOf(await find()).toSorted()).toEqual(ids.toSorted()), WAIT)
  return ids
}

it('finds jobs that wait with their reason, then ended ones, newest first, page by page', async () => {
  const ended = await end(undefined, OOM(20), undefined)
  const waiting = [await gateway.submit(ep), await gateway.submit(ep)]
  const all = [...waiting.toReversed(), ...ended.toReversed()]
  const { jobs, nextCursor } = await find()
  expect(jobs.map(({ id }) => id)).toEqual(all)
  expect(nextCursor).toBeNull()
  expect(jobs[0]).toMatchObject({
    status: 'IN_QUEUE',
    endpoint: { id: ep, name: ep },
    reason: expect.any(String),
    message: expect.any(String),
    ahead: 1,
  })
  expect((await get<JobDetailView>(`jobs/${waiting[1]}`)).ahead).toBe(1)
  expect(jobs[2]).toMatchObject({ status: 'COMPLETED', cause: 'result', workerId: worker.id, keyId: expect.any(String), retries: 0 })
  expect(jobs[3]).toMatchObject({ status: 'FAILED', error: OOM(20), fingerprint: expect.stringMatching(/^[0-9a-z]{12}$/u) })
  const paged: string[] = []
  for (let cursor = ''; ;) {
    const page = await find(`&limit=2${cursor}`)
    paged.push(...idsOf(page))
    if (page.nextCursor === null) break
    cursor = `&cursor=${page.nextCursor}`
  }
  expect(paged).toEqual(all)
})

it('reaches every job of a queue that is longer than one look, also one that runs, with its place', async () => {
  const runs = await worker.startJob()
  const waiting: string[] = []
  for (let count = 0; count < 9; count += 1) waiting.push(await gateway.submit(ep))
  const endpoint = await gateway.store.endpoints.get(ep)
  if (endpoint === undefined) throw new Error('no endpoint')
  const found: FoundJob[] = []
  let from = parseLiveCursor(undefined)
  while (from !== undefined) {
    const { jobs, nextCursor } = await findLive(gateway.store, [endpoint], { wanted: {}, limit: 3, from, windowSize: 4 })
    found.push(...jobs)
    from = nextCursor === undefined ? undefined : parseLiveCursor(nextCursor)
  }
  expect(found.map(({ id }) => id)).toEqual([...waiting.toReversed(), runs])
  expect(found.map(({ ahead }) => ahead)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0, undefined])
  const running = await findLive(gateway.store, [endpoint], { wanted: { status: 'IN_PROGRESS' }, limit: 3, windowSize: 4 })
  expect([running.jobs.map(({ id }) => id), running.nextCursor]).toEqual([[runs], undefined])
  await expect(find('&cursor=live.x')).rejects.toThrow('must be the `nextCursor` of an earlier page')
})

it('filters by status, time, worker, key, error and text', async () => {
  const [ok = '', small = '', big = '', other = ''] = await end(undefined, OOM(20), OOM(512), 'no cheese')
  const failed = (await find('&status=FAILED')).jobs
  expect(failed.map(({ id }) => id)).toEqual([other, big, small])
  const { fingerprint, keyId, endedAt = 0 } = failed[1] ?? {}
  expect(idsOf(await find(`&error=${fingerprint}`))).toEqual([big, small])
  expect(idsOf(await find('&error=cheese'))).toEqual([other])
  expect(idsOf(await find(`&q=${ok.slice(3, 20)}`))).toEqual([ok])
  expect(idsOf(await find(`&key=${keyId}&status=COMPLETED`))).toEqual([ok])
  expect(idsOf(await find('&worker=nobody1'))).toEqual([])
  expect(idsOf(await find(`&since=${endedAt}&worker=${worker.id}`))).toEqual([other, big])
  expect(idsOf(await find(`&until=${endedAt}`))).toEqual([small, ok])
  expect((await gateway.call('/runyard/v1/jobs?cursor=x')).status).toBe(400)
  expect((await gateway.call('/runyard/v1/jobs?endpoint=no-such')).status).toBe(404)
})

it('keeps jobs, failures and workers of a deleted endpoint under its name, for its owner alone', async () => {
  const { id: own, name } = await gateway.addEndpoint({ name: 'short-lived' })
  const [failed, waiting] = [await gateway.submit(own), await gateway.submit(own)]
  const { record, ...last } = await gateway.addWorker(own)
  await last.take()
  await last.done(failed, { error: 'the oven is cold' })
  const life = { ...record, host: 'box', goneAt: Date.now(), endReason: 'endpoint_deleted', message: 'gone' }
  await gateway.store.history.addLife(record.id, JSON.stringify(life), life.goneAt)
  await gateway.call(`/v2/serverless/${own}`, { method: 'DELETE' })
  const endpoint = { id: own, name, isDeleted: true }
  const found = (query: string) => get<JobSearchView>(`jobs?${query}`)
  await vi.waitFor(async () => expect(idsOf(await found(`endpoint=${name}`))).toEqual([waiting, failed]), WAIT)
  expect((await found(`endpoint=${own}`)).jobs).toMatchObject([
    { status: 'CANCELLED', cause: 'endpoint_deleted', endpoint },
    { status: 'FAILED', error: 'the oven is cold', endpoint },
  ])
  const { keyId } = (await found(`q=${failed}`)).jobs[0] ?? {}
  expect(idsOf(await found(`key=${keyId}&since=${record.createdAt}`))).toContain(failed)
  expect(await get<JobDetailView>(`jobs/${failed}`)).toMatchObject({ status: 'FAILED', text: 'the oven is cold', endpoint })
  expect(await get<FailureListView>(`failures?endpoint=${name}`)).toMatchObject({ total: 1, failures: [{ endpoint, count: 1 }] })
  expect(await get<WorkerLifeView>(`workers/${record.id}`)).toMatchObject({ endpoint, phase: 'gone' })
  expect((await get<WorkerLifeListView>(`workers?endpoint=${name}`)).workers).toMatchObject([{ id: record.id, jobs: 1, failed: 1 }])
  expect(await bulk({ action: 'retry', filter: { q: failed } })).toMatchObject({ matched: 0 })
  const { plain } = await gateway.store.keys.create({ ownerId: 'stranger', name: 'stranger' })
  const asStranger = { authorization: `Bearer ${plain}` }
  expect((await gateway.call(`/runyard/v1/jobs?endpoint=${name}`, { headers: asStranger })).status).toBe(404)
  expect((await gateway.call(`/runyard/v1/jobs?q=${failed}`, { headers: asStranger })).json).toMatchObject({ jobs: [] })
  for (const path of [`jobs/${failed}`, `workers/${record.id}`])
    expect((await gateway.call(`/runyard/v1/${path}`, { headers: asStranger })).status).toBe(404)
})

it('reads a job by its id alone, with its attempts, also when its result is gone', async () => {
  const [id = ''] = await end('no cheese\nat all')
  const read = () => get<JobDetailView>(`jobs/${id}`)
  const now = await read()
  expect(now).toMatchObject({ id, endpoint: { id: ep }, status: 'FAILED', error: 'no cheese', text: 'no cheese\nat all', kept: ['input'] })
  expect(now.attempts).toEqual([{ workerId: worker.id, startedAt: now.startedAt, endedAt: now.endedAt }])
  await gateway.store.jobs.setRetention(ep, id, 1)
  await vi.waitFor(async () => expect(await gateway.store.jobs.get(ep, id)).toBeUndefined(), WAIT)
  const past = await read()
  expect(past).toMatchObject({ ...now, kept: [], cause: 'result', keyId: expect.any(String) })
  expect((await gateway.call('/runyard/v1/jobs/nothing-1')).status).toBe(404)
})

it('reads what a job carries, or the beginning of it, as long as that is kept', async () => {
  const id = await worker.startJob({ text: 'zwölf' })
  const valueOf = async (name: string, bytes = 4096) => gateway.call(`/runyard/v1/jobs/${id}/${name}?bytes=${bytes}`)
  const input = '{"text":"zwölf"}'
  expect((await valueOf('input')).json).toEqual({ text: input, bytes: 17, isWhole: true })
  expect((await valueOf('input', 12)).json).toEqual({ text: '{"text":"zw', bytes: 17, isWhole: false })
  expect((await valueOf('output')).json).toMatchObject({ detail: `Job "${id}" has no output; it is IN_PROGRESS.` })
  expect((await valueOf('output', 0)).status).toBe(422)
  const kept = async () => (await get<JobDetailView>(`jobs/${id}`)).kept
  expect(await kept()).toEqual(['input'])
  expect(await get<JobDetailView>(`jobs/${id}`)).toMatchObject({ keyId: expect.any(String) })
  await worker.done(id, { output: '<b>1</b>' })
  expect(await kept()).toEqual(['output'])
  expect((await valueOf('output')).json).toMatchObject({ text: '"<b>1</b>"', isWhole: true })
  expect((await valueOf('input')).json).toMatchObject({ status: 404, detail: expect.stringContaining('is not kept any more') })
  await gateway.store.jobs.setRetention(ep, id, 1)
  await vi.waitFor(async () => expect((await valueOf('output')).status).toBe(404), WAIT)
})

it('knows a job at once when it is cancelled, while it waits and while it runs', async () => {
  const running = await worker.startJob()
  const waiting = await gateway.submit(ep)
  for (const id of [waiting, running]) {
    expect((await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })).status).toBe(200)
    expect(await get<JobDetailView>(`jobs/${id}`)).toMatchObject({ id, status: 'CANCELLED', endedAt: expect.any(Number) })
  }
  expect(idsOf(await find())).toEqual([running, waiting])
})

it('keeps the attempts before a retry apart from those after it', async () => {
  const [id = ''] = await end('no cheese')
  await gateway.call(`/v2/${ep}/retry/${id}`, { method: 'POST' })
  const [before, ...others] = (await get<JobDetailView>(`jobs/${id}`)).attempts
  expect(others).toEqual([])
  expect(before?.endedAt).toBeDefined()
  await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
  const { attempts, status, submittedAt } = await get<JobDetailView>(`jobs/${id}`)
  expect({ status, attempts }).toEqual({ status: 'CANCELLED', attempts: [before] })
  expect(before?.endedAt).toBeLessThanOrEqual(submittedAt)
})

it('counts a job once that failed again after a retry, and lists it as it ended last', async () => {
  const [id = '', other = ''] = await end(OOM(20), OOM(20))
  await gateway.call(`/v2/${ep}/retry/${id}`, { method: 'POST' })
  expect((await find()).jobs).toMatchObject([{ id, status: 'IN_QUEUE' }, { id: other }])
  const another = await gateway.addWorker(ep)
  await another.take()
  await another.done(id, { error: OOM(512) })
  await vi.waitFor(async () => expect((await find()).jobs).toMatchObject([{ id, error: OOM(512) }, { id: other }]), WAIT)
  expect((await find()).jobs).toHaveLength(2)
  const { failures, total } = await get<FailureListView>(`failures?endpoint=${ep}`)
  expect({ total, counts: failures.map(({ count }) => count) }).toEqual({ total: 2, counts: [2] })
  expect((await get<JobDetailView>(`jobs/${id}`)).attempts).toHaveLength(2)
})

it('groups failures by what they have in common', async () => {
  await end(OOM(20), 'no cheese', undefined, OOM(512))
  const { failures, total, isComplete } = await get<FailureListView>(`failures?endpoint=${ep}`)
  expect({ total, isComplete }).toEqual({ total: 3, isComplete: true })
  expect(failures.map(({ error, count, workers }) => ({ error, count, workers }))).toEqual([
    { error: OOM(512), count: 2, workers: 1 },
    { error: 'no cheese', count: 1, workers: 1 },
  ])
  expect(failures[0]?.example).toMatchObject({ workerId: worker.id, text: expect.stringContaining('CUDA out of memory') })
  expect(failures[0]?.lastAt).toBeGreaterThanOrEqual(failures[0]?.firstAt ?? Infinity)
  expect((await get<FailureListView>(`failures?endpoint=${ep}&until=1000`)).failures).toEqual([])
})

it('counts, retries and cancels all jobs that match', async () => {
  await end(OOM(20), OOM(512), 'no cheese', undefined)
  const retry = { action: 'retry', filter: { endpoint: ep, error: 'CUDA' } }
  expect(await bulk({ ...retry, dryRun: true })).toMatchObject({ matched: 2, done: 0, refused: [], isMore: false })
  expect(await bulk({ ...retry, limit: 1, dryRun: true })).toMatchObject({ matched: 1, isMore: true })
  expect(await bulk(retry)).toMatchObject({ matched: 2, done: 2, refused: [] })
  expect(await bulk(retry)).toMatchObject({
    matched: 2,
    done: 0,
    refused: [{ why: 'only a FAILED or TIMED_OUT job can be retried; this one is IN_QUEUE', jobs: 2 }],
  })
  const cancel = { action: 'cancel', filter: { endpoint: ep } }
  expect((await bulk({ ...cancel, dryRun: true })).sample).toHaveLength(2)
  expect(await bulk(cancel)).toMatchObject({ matched: 2, done: 2 })
  expect(await bulk(cancel)).toMatchObject({ matched: 0, done: 0 })
  expect((await gateway.call('/runyard/v1/jobs/bulk', { method: 'POST', body: { action: 'forget', filter: {} } })).status).toBe(422)
  expect((await gateway.call('/runyard/v1/jobs/bulk', { method: 'POST', body: { action: 'cancel' } })).status).toBe(422)
})

it('shows the life of a worker while it lives and after it', async () => {
  await end(undefined, 'no cheese')
  const list = async () => (await get<WorkerLifeListView>(`workers?endpoint=${ep}`)).workers
  const counts = { jobs: 2, failed: 1 }
  await vi.waitFor(async () => expect(await list()).toMatchObject([{ id: worker.id, phase: 'idle', ...counts }]), WAIT)
  const { record } = worker
  const life = {
    ...record,
    host: 'box',
    goneAt: Date.now(),
    endReason: 'idle_timeout',
    message: 'it was idle',
    exitCode: 0,
    oomKilled: false,
  }
  await gateway.store.history.addLife(worker.id, JSON.stringify(life), life.goneAt)
  await gateway.store.workers.remove(ep, worker.id, undefined)
  expect(await list()).toHaveLength(1)
  expect(await get<WorkerLifeView>(`workers/${worker.id}`)).toMatchObject({
    id: worker.id,
    endpoint: { id: ep, name: ep },
    host: 'box',
    phase: 'gone',
    times: { placed: record.createdAt, gone: life.goneAt },
    endReason: 'idle_timeout',
    message: 'it was idle',
    exitCode: 0,
    ...counts,
  })
})

it('refuses parameters that it does not know, and says in one sentence what a value must be', async () => {
  const refusalOf = async (path: string) => (await gateway.call(`/runyard/v1/${path}`)).json
  const known = 'endpoint, status, key, worker, error, q, since (or from), until (or to), limit, cursor'
  expect(await refusalOf('jobs?statsu=FAILED')).toMatchObject({
    status: 400,
    detail: `There is no parameter "statsu"; this route takes ${known}. Did you mean "status"?`,
  })
  expect(await refusalOf('pool?x=1')).toMatchObject({ detail: 'There is no parameter "x": this route takes none.' })
  expect(await refusalOf('jobs?since=1&from=2')).toMatchObject({ detail: '"since" and "from" are the same: give one of them.' })
  expect(await refusalOf('jobs?limit=9999')).toMatchObject({ status: 422, detail: '"limit" must be at most 500, not "9999".' })
  expect(await refusalOf('jobs?limit=many')).toMatchObject({ detail: '"limit" must be a number, not "many".' })
  expect(await refusalOf('jobs?status=LOST')).toMatchObject({
    detail: expect.stringMatching(/^"status" must be one of IN_QUEUE, .*, not "LOST"\.$/u),
  })
  const withBody = async (body: object) => (await gateway.call('/runyard/v1/notices/test', { method: 'POST', body })).json
  expect(await withBody({ dryRun: true })).toMatchObject({ status: 422, detail: 'There is no member "dryRun": this route takes no body.' })
  expect(await refusalOf('jobs?since=lunch')).toMatchObject({
    detail: '"since" must be a time like 2026-11-24T06:00:00Z or epoch milliseconds, not "lunch".',
  })
})

it('takes since and until, and from and to, as the same', async () => {
  const [first = '', second = ''] = await end(undefined, undefined)
  const { endedAt = 0 } = await get<JobDetailView>(`jobs/${second}`)
  expect(idsOf(await find(`&from=${endedAt}`))).toEqual([second])
  expect(idsOf(await find(`&to=${endedAt}`))).toEqual([first])
  expect(await get<object>(`series?endpoint=${ep}&since=0&until=60000`)).toMatchObject({ points: [] })
})

it('shows a stranger nothing', async () => {
  const [id = ''] = await end('no cheese')
  const { plain } = await gateway.store.keys.create({ name: 'stranger', ownerId: 'stranger' })
  const headers = { authorization: `Bearer ${plain}` }
  const ask = async (path: string, more: object = {}) => gateway.call(`/runyard/v1/${path}`, { headers, ...more })
  expect((await ask('jobs')).json).toEqual({ jobs: [], nextCursor: null })
  expect((await ask('failures')).json).toMatchObject({ failures: [], total: 0 })
  expect((await ask('workers')).json).toEqual({ workers: [] })
  for (const path of [`jobs/${id}`, `jobs/${id}/input`, `workers/${worker.id}`, `jobs?endpoint=${ep}`])
    expect((await ask(path)).status).toBe(404)
  expect((await ask('jobs/bulk', { method: 'POST', body: { action: 'retry', filter: {} } })).json).toMatchObject({ matched: 0 })
})

it.each(['wait', 'meta', 'id', 'r:ended', 'a b'])('answers 404 for a job called %j, which no job can be called', async (word) => {
  await gateway.submit(ep)
  const name = encodeURIComponent(word)
  const paths = [`jobs/${name}`, `jobs/${name}/input`, `jobs/${name}/output`, `explain/${name}`]
  const statuses = await Promise.all(paths.map(async (path) => (await gateway.call(`/runyard/v1/${path}`)).status))
  expect(statuses).toEqual(paths.map(() => 404))
})
