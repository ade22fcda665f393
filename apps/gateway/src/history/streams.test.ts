// Merged logs and the stream of what is now, over real HTTP.
import type { EndpointLoadView, LiveEvent, MergedLine, MergedLogView } from '@runyard/schema/api'
import { afterEach, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'
import { createEndpointLoads } from './endpoint-loads.ts'

type Event = Partial<MergedLine & LiveEvent>

const WAIT = { timeout: 30_000, interval: 20 }
let gateway: TestGateway
let ep: string
let worker: TestWorker
let closing = new AbortController()
useGateway({}, (site) => {
  ;({ gateway, ep, worker } = site)
})
afterEach(() => {
  closing.abort()
  closing = new AbortController()
})

const get = (path: string) => gateway.read<MergedLogView>(`/runyard/v1/${path}`)
const print = (id: string, ...lines: readonly string[]) =>
  gateway.store.workerLogs.append(
    id,
    'container',
    lines.map((line) => ({ at: Date.now(), line })),
  )

/** The data of the events as they come. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.publicUrl}/runyard/v1/${path}`, {
    headers: { authorization: `Bearer ${gateway.key}`, accept: 'text/event-stream', ...headers },
    signal: closing.signal,
  })
  expect(response.status).toBe(200)
  const [data, ids]: [Event[], string[]] = [[], []]
  const take = (frame: string) => {
    const line = frame.split('\n').find((one) => one.startsWith('data: '))
    if (line !== undefined) data.push(JSON.parse(line.slice(6)))
    ids.push(...frame.split('\n').flatMap((one) => (one.startsWith('id: ') ? [one.slice(4)] : [])))
  }
  const read = async () => {
    let text = ''
    for await (const chunk of response.body ?? []) {
      const frames = (text + Buffer.from(chunk as Uint8Array).toString()).split('\n\n')
      text = frames.pop() ?? ''
      for (const frame of frames) take(frame)
    }
  }
  read().catch(() => undefined)
  return { data, ids }
}

it('merges the logs of all workers, each line with its level and, while a worker had one job, that', async () => {
  const second = await gateway.addWorker(ep)
  const id = await worker.startJob()
  await vi.waitFor(() => expect(Date.now() % 5).toBe(0), WAIT)
  await print(worker.id, 'ERROR in the job')
  await print(second.id, 'INFO nothing to do')
  await worker.done(id, { output: 1 })
  const merged = async (query = '') => (await get(`logs?endpoint=${ep}${query}`)).lines
  const ofJob = { workerId: worker.id, endpointId: ep, source: 'container', line: 'ERROR in the job', level: 'error', jobId: id }
  await vi.waitFor(async () => expect(await merged()).toMatchObject([ofJob, { workerId: second.id, level: 'info' }]), WAIT)
  expect((await merged())[1]).not.toHaveProperty('jobId')
  await vi.waitFor(async () => expect(await merged(`&job=${id}`)).toMatchObject([ofJob]), WAIT)
  expect(await merged('&level=warn')).toMatchObject([ofJob])
  expect(await merged('&q=NOTHING')).toMatchObject([{ workerId: second.id }])
  expect(await merged(`&worker=${second.id}`)).toHaveLength(1)
  const page = await get(`logs?endpoint=${ep}&limit=1`)
  expect(page).toMatchObject({ lines: [{ workerId: second.id }], workers: 2 })
  expect(await merged(`&limit=1&cursor=${page.nextCursor}`)).toMatchObject([ofJob])
})

it('reads the lines of all attempts of a job', async () => {
  const id = await worker.startJob()
  await print(worker.id, 'the first try')
  const lost = { endpointId: ep, jobId: id, workerId: worker.id }
  expect(await gateway.store.jobs.takeBack(lost, { budget: 2, evidence: 'it died', withAll: true })).toBe('requeued')
  await gateway.store.events.append({ at: Date.now(), ...lost, kind: 'job_requeued', message: 'it died' })
  const second = await gateway.addWorker(ep)
  await second.take()
  await print(second.id, 'the second try')
  await second.done(id, { output: 1 })
  const lines = async () => (await get(`logs?endpoint=${ep}&job=${id}`)).lines.map(({ line }) => line)
  await vi.waitFor(async () => expect(await lines()).toEqual(['the first try', 'the second try']), WAIT)
  const { data } = await listen(`logs?endpoint=${ep}&job=${id}`)
  await vi.waitFor(() => expect(data.map(({ line }) => line)).toEqual(['the first try', 'the second try']), WAIT)
  expect((await get(`logs?endpoint=${ep}&job=${id}&until=1000`)).lines).toEqual([])
})

it('follows the lines of all workers, and goes on after the last one', async () => {
  await print(worker.id, 'one')
  const path = `logs?endpoint=${ep}`
  const { data, ids } = await listen(path)
  await vi.waitFor(() => expect(data.map(({ line }) => line)).toEqual(['one']), WAIT)
  const late = await gateway.addWorker(ep)
  await print(late.id, 'two')
  await print(worker.id, 'three')
  await vi.waitFor(() => expect(new Set(data.map(({ line }) => line))).toEqual(new Set(['one', 'two', 'three'])), WAIT)
  const again = await listen(path, { 'last-event-id': ids[0] ?? '' })
  await vi.waitFor(() => expect(new Set(again.data.map(({ line }) => line))).toEqual(new Set(['two', 'three'])), WAIT)
})

it('sends the state of several topics, and each change of them', async () => {
  const id = await gateway.submit(ep)
  const { data } = await listen(`live?topics=endpoint:${ep},job:${id},pool`)
  const latest = (topic: string) => data.findLast((event) => event.topic === topic)?.value
  await vi.waitFor(() => expect(latest(`endpoint:${ep}`)).toMatchObject({ id: ep, name: ep, jobs: { inQueue: 1 } }), WAIT)
  expect(latest(`job:${id}`)).toMatchObject({ id, status: 'IN_QUEUE' })
  expect(latest('pool')).toMatchObject({ hosts: [] })
  await worker.take()
  await vi.waitFor(() => expect(latest(`job:${id}`)).toMatchObject({ status: 'IN_PROGRESS', workerId: worker.id }), WAIT)
  await worker.done(id, { output: 'the output' })
  await vi.waitFor(() => expect(latest(`job:${id}`)).toMatchObject({ status: 'COMPLETED' }), WAIT)
  await vi.waitFor(() => expect(latest(`endpoint:${ep}`)).toMatchObject({ jobs: { inQueue: 0, completed: 1 } }), WAIT)
  expect(JSON.stringify(data)).not.toContain('the output')
  expect(data.some(({ gap }) => gap !== undefined)).toBe(false)
})

it('reports to a reader that comes back what may be missing', async () => {
  const topic = `endpoint:${ep}`
  const { ids, data } = await listen(`live?topics=${topic}`)
  await vi.waitFor(() => expect(data).toHaveLength(1), WAIT)
  const same = await listen(`live?topics=${topic}`, { 'last-event-id': ids[0] ?? '' })
  await vi.waitFor(() => expect(same.data).toMatchObject([{ topic, value: { id: ep } }]), WAIT)
  const old = await listen(`live?topics=${topic}`, { 'last-event-id': 'another.1' })
  await vi.waitFor(
    () =>
      expect(old.data).toMatchObject([
        { topic, gap: expect.any(String) },
        { topic, value: { id: ep } },
      ]),
    WAIT,
  )
})

it('sends the load of all own endpoints as one state, and reads only those that change', async () => {
  const quiet = await gateway.addEndpoint({ name: 'quiet' })
  const stranger = await gateway.addEndpoint({ name: 'hidden', ownerId: 'somebody' })
  const { data } = await listen('live?topics=endpoints')
  const loads = () => (data.at(-1)?.value ?? []) as readonly EndpointLoadView[]
  await vi.waitFor(() => expect(loads().map(({ id }) => id)).toEqual(expect.arrayContaining([ep, quiet.id])), WAIT)
  expect(JSON.stringify(data)).not.toContain(stranger.id)
  const stats = vi.spyOn(gateway.store.jobs, 'stats')
  for (let inQueue = 1; inQueue <= 5; inQueue += 1) {
    await gateway.submit(ep)
    await vi.waitFor(() => expect(loads().find(({ id }) => id === ep)).toMatchObject({ name: ep, jobs: { inQueue } }), WAIT)
  }
  const readsOf = (wanted: string) => stats.mock.calls.filter(([id]) => id === wanted).length
  expect(readsOf(ep)).toBeGreaterThanOrEqual(5)
  expect(readsOf(quiet.id)).toBeLessThan(3)
  stats.mockRestore()
  const late = await gateway.addEndpoint({ name: 'late' })
  await vi.waitFor(() => expect(loads().map(({ id }) => id)).toContain(late.id), WAIT)
})

it('reads an endpoint again whose read failed, or that changed while it was read', async () => {
  const { id } = await gateway.addEndpoint({ name: 'at rest' })
  const loads = createEndpointLoads(gateway, 'owner')
  const inQueue = async () => (await loads.read()).find((load) => load.id === id)?.jobs.inQueue
  const first = inQueue()
  expect(loads.note({ kind: 'job-added', endpointId: id })).toBe(false)
  expect(await first).toBe(0)
  await gateway.submit(id)
  const stats = vi.spyOn(gateway.store.jobs, 'stats').mockRejectedValue(new Error('Redis is away'))
  await expect(loads.read()).rejects.toThrow('Redis is away')
  stats.mockRestore()
  expect(await inQueue()).toBe(1)
})

it('sends what the scaler and the operator say of endpoints and hosts, without looking again and again', async () => {
  const { data } = await listen('live?topics=endpoints,pool')
  const latest = (topic: string) => JSON.stringify(data.findLast((event) => event.topic === topic)?.value ?? '')
  await vi.waitFor(() => expect([latest('endpoints'), latest('pool')]).toEqual([expect.stringContaining(ep), expect.any(String)]), WAIT)
  const status = { at: Date.now(), throttled: 1, reason: 'gpus_busy', message: 'all GPUs are in use', unhealthy: 0 }
  await gateway.store.status.put(ep, status)
  await vi.waitFor(() => expect(latest('endpoints')).toContain('all GPUs are in use'), WAIT)
  await gateway.store.hosts.putSight('h', { health: 'ready', label: 'the box', kind: 'docker', at: 1, inventoryAt: 1, claims: {} })
  await vi.waitFor(() => expect(latest('pool')).toContain('the box'), WAIT)
  await gateway.store.hosts.putCordon('h', { since: 7, reason: 'a fan fails' })
  await vi.waitFor(() => expect(latest('pool')).toContain('a fan fails'), WAIT)
  await gateway.store.hosts.forget('h')
  await vi.waitFor(() => expect(latest('pool')).not.toContain('the box'), WAIT)
  const before = latest('endpoints')
  await gateway.call(`/v2/serverless/${ep}`, { method: 'PATCH', body: { workers: { max: 2 } } })
  // With the same numbers: only its revision is another one.
  await vi.waitFor(() => expect(latest('endpoints')).not.toBe(before), WAIT)
})

it('says whether Redis answers, and does not ask while it answers others', async () => {
  const ask = vi.spyOn(gateway.store, 'isAnswering')
  const { data } = await listen('live?topics=store')
  await vi.waitFor(() => expect(data).toEqual([{ topic: 'store', value: { redis: 'up' } }]), WAIT)
  expect(ask).not.toHaveBeenCalled()
  const silent = vi.spyOn(gateway.store, 'silentMs').mockReturnValue(60_000)
  await vi.waitFor(() => expect(ask).toHaveBeenCalled(), WAIT)
  silent.mockRestore()
  ask.mockRestore()
})

it('reads a topic once for all streams that follow it', async () => {
  const stats = vi.spyOn(gateway.store.jobs, 'stats')
  const topic = `endpoint:${ep}`
  const streams = await Promise.all(Array.from({ length: 10 }, () => listen(`live?topics=${topic}`)))
  await vi.waitFor(() => expect(streams.every(({ data }) => data.length > 0)).toBe(true), WAIT)
  stats.mockClear()
  await gateway.submit(ep)
  const waits = ({ data }: (typeof streams)[number]) => JSON.stringify(data.at(-1)).includes('"inQueue":1')
  await vi.waitFor(() => expect(streams.every(waits)).toBe(true), WAIT)
  expect(stats.mock.calls.filter(([id]) => id === ep).length).toBeLessThan(5)
  stats.mockRestore()
})

it('reports that an endpoint or a job is not there, beside the topics that are', async () => {
  const stranger = await gateway.addEndpoint({ name: 'foreign', ownerId: 'somebody' })
  const { plain } = await gateway.store.keys.create({ name: 'theirs', ownerId: 'somebody' })
  const submitTheirs = () =>
    gateway.call(`/v2/${stranger.id}/run`, { method: 'POST', body: { input: 1 }, headers: { authorization: `Bearer ${plain}` } })
  const foreign = String((await submitTheirs()).json['id'])
  const absent = [`endpoint:${stranger.id}`, `job:${foreign}`, 'endpoint:later', 'job:unknown-1', 'job:wait', 'job:r:ended', 'job:a b']
  const { data } = await listen(`live?topics=${[...absent, `endpoint:${ep}`].join(',')}`)
  const latest = (topic: string) => data.findLast((event) => event.topic === topic)?.value
  await vi.waitFor(() => expect(latest(`endpoint:${ep}`)).toMatchObject({ id: ep }), WAIT)
  for (const topic of absent) await vi.waitFor(() => expect(data).toContainEqual({ topic, value: null }), WAIT)
  expect(foreign).toMatch(/^[\da-f-]{36}/u)
  const later = await gateway.addEndpoint({ name: 'later' })
  await vi.waitFor(() => expect(latest('endpoint:later')).toMatchObject({ id: later.id }), WAIT)
  await submitTheirs()
  await gateway.submit(ep)
  await vi.waitFor(() => expect(latest(`endpoint:${ep}`)).toMatchObject({ jobs: { inQueue: 1 } }), WAIT)
  expect(latest(`endpoint:${stranger.id}`)).toBeNull()
  await gateway.store.endpoints.delete(later.id)
  await vi.waitFor(() => expect(latest('endpoint:later')).toBeNull(), WAIT)
})

it('refuses what is no topic', async () => {
  const status = async (topics: string) => (await gateway.call(`/runyard/v1/live?topics=${topics}`)).status
  expect(await status('weather')).toBe(400)
  expect(await status(',')).toBe(400)
  expect(await status('endpoint:')).toBe(400)
  expect(await status(`endpoint:${ep},pool:1`)).toBe(400)
})
