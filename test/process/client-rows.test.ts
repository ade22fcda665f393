// Rows of the clients' check list that plain handlers on an unmodified worker SDK can show, with the list's own figures, against the running
// stack with its default holds. The test acts as the scaler. Rows that need a scaler or short retention are in `client-contract.test.ts`.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '@runyard/store'
import { startReceiver } from '@runyard/testing'
import runpodSdk from 'runpod-sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingProxy } from '../harness/counting-proxy.ts'
import { runPython } from '../harness/python.ts'
import { startOwnStack, startSdkWorker, type SdkWorker } from '../harness/sdk-worker.ts'
import type { Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const JOBS = ['completed', 'failed', 'inProgress', 'inQueue', 'retried']
const WORKERS = ['idle', 'initializing', 'ready', 'running', 'throttled', 'unhealthy']
const SEVEN = Array.from({ length: 7 }, (_, number) => ({ number }))

await suiteThatNeeds(['redis', 'venv:runpod-1.12', 'venv:flash-1.21'], 'the clients’ check list with plain handlers', () => {
  let stack: Stack
  let store: Store
  const scope = new AsyncDisposableStack()
  /** Returns its input, three jobs at a time. */
  let echo: string
  /** Yields `count` numbers, with a pause before each. */
  let yields: string
  /** One job at a time; can report progress. */
  let single: string
  let singleWorker: SdkWorker
  /** Without workers, never purged. */
  let closed: string

  beforeAll(async () => {
    ;({ stack, store } = scope.use(await startOwnStack({ settings: { RUNYARD_WEBHOOKS_ALLOW_PRIVATE: 'true' } })))
    const endpoint = (name: string) => stack.api.saveEndpoint({ name, idleTimeout: 600 })
    ;[echo, yields, single, closed] = (await Promise.all(['echo', 'yields', 'single', 'closed'].map(endpoint))) as [
      string,
      string,
      string,
      string,
    ]
    const start = async (endpointId: string, kind: 'sync' | 'async' | 'generator'): Promise<SdkWorker> =>
      scope.use(await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.12', kind }))
    const workers = [
      start(single, 'sync'),
      start(echo, 'async'),
      start(yields, 'generator'),
      start(yields, 'generator'),
      start(yields, 'generator'),
    ]
    ;[singleWorker] = (await Promise.all(workers)) as [SdkWorker]
  })
  afterAll(() => scope.disposeAsync())

  const job = async (endpoint: string, id: string) => (await stack.api.get(`/v2/${endpoint}/status/${id}`)).json
  const taken = (endpoint: string, id: string) =>
    waitFor('the job to be taken', async () => (await job(endpoint, id))['status'] === 'IN_PROGRESS')

  test.concurrent('client-api §13.1, §13.3, §13.4: runpod 1.12 runs, polls, cancels, purges, returns None for a failure, and streams over gaps of 12 s', async () => {
    await using proxy = await startCountingProxy(stack.url)
    const env = { ...stack.env, RUNPOD_ENDPOINT_BASE_URL: `${proxy.url}/v2` }
    const { found } = await runPython({
      venv: 'runpod-1.12',
      program: 'runpod_rows.py',
      args: [echo, yields, await unserved('python')],
      env,
    })
    expect(found['called']).toMatchObject({
      first: expect.stringMatching(/^IN_/),
      output: { echo: { sleep: 3, word: 'hello' } },
      last: 'COMPLETED',
    })
    expect(found['ended']).toMatchObject({
      cancel: { status: 'CANCELLED' },
      purge: { removed: 1, status: 'completed' },
      health: { jobs: { inQueue: 0 } },
      outputs: [null, null],
      polled: 'CANCELLED',
    })
    expect(found['failed']).toMatchObject({ value: null, status: 'FAILED', error: expect.stringContaining('the cheese is gone') })
    expect(JSON.parse((found['failed'] as { error: string }).error)).toMatchObject({ error_type: "<class 'ValueError'>" })
    expect(found).toMatchObject({ failedSync: null, sync: { echo: { word: 'fast' } }, seven: SEVEN, gaps: SEVEN.slice(0, 2) })
    expect(proxy.abandoned()).toBe(0)
  })

  test.concurrent('client-api §13.7: runpod-sdk reads every body, and a runSync that gives up after 3 s sends at most five requests', async () => {
    await using proxy = await startCountingProxy(stack.url)
    const api = clientOf(echo, proxy.url)
    const run = await api.run({ input: { word: 'hello' } })
    expect(run).toEqual({ id: expect.any(String), status: 'IN_QUEUE' })
    const ended = await waitFor('the job to end', async () => {
      const status = await api.status(run.id)
      return status.completed ? status : undefined
    })
    const times = { delayTime: expect.any(Number), executionTime: expect.any(Number), workerId: expect.any(String) }
    const output = expect.objectContaining({ echo: { word: 'hello' } }) as unknown
    const done = { status: 'COMPLETED', started: true, completed: true, succeeded: true, output, ...times }
    expect(ended).toEqual({ ...done, id: run.id })
    expect(await api.runSync({ input: { word: 'hello' } }, 30_000)).toEqual({ ...done, id: expect.stringMatching(/^sync-/) })
    const early = await api.runSync({ input: { sleep: 10 } }, 3000)
    expect(early).toMatchObject({ started: true, completed: false, id: expect.stringMatching(/^sync-/), status: 'IN_PROGRESS' })
    // One of them belongs to the quick job.
    expect(proxy.count('runsync', 'status-sync') - 1).toBeLessThanOrEqual(5)
    const health = (await api.health()) as Record<'jobs' | 'workers', Record<string, unknown>>
    expect([Object.keys(health.jobs).toSorted(), Object.keys(health.workers).toSorted()]).toEqual([JOBS, WORKERS])
    const idle = clientOf(await unserved('javascript'), proxy.url)
    const waiting = await idle.run({ input: 1 })
    expect(await idle.cancel(waiting.id)).toEqual({ id: waiting.id, status: 'CANCELLED' })
    await idle.run({ input: 2 })
    expect(await idle.purgeQueue()).toEqual({ removed: 1, status: 'completed' })
  })

  test.concurrent('client-api §13.8, §13.9: runpod-sdk streams seven values 2 s apart in under 30 requests; the stream of a cancelled job ends', async () => {
    await using proxy = await startCountingProxy(stack.url)
    const api = clientOf(yields, proxy.url)
    const { id } = await api.run({ input: { count: 7, gap: 2 } })
    expect(await Array.fromAsync(api.stream(id))).toEqual(SEVEN.map((output) => ({ output })))
    expect(proxy.count('stream')).toBeLessThan(30)
    const long = await api.run({ input: { count: 1, gap: 60 } })
    await taken(yields, long.id)
    await api.cancel(long.id)
    expect(await Array.fromAsync(api.stream(long.id))).toEqual([])
    expect(await api.status(long.id)).toMatchObject({ completed: true, succeeded: false, status: 'CANCELLED' })
  })

  // The Go SDK's module is in no registry, so its code was run by hand against a stack like this one. It sends everything except health as a POST
  // without a body.
  test.concurrent('client-api §13.10: every request of the Go SDK gets a 200', async () => {
    const headers = { 'content-type': 'application/json', 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' }
    const send = async (path: string, body?: unknown, method = 'POST') => {
      const reply = await stack.api.request(`/v2/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      expect([path, reply.status]).toEqual([path, 200])
      return reply.json
    }
    const early = await send(`${echo}/runsync?wait=1000`, { input: { sleep: 2 } })
    expect(early['status']).toMatch(/^IN_/)
    const path = `${echo}/status-sync/${String(early['id'])}?wait=20000`
    await waitFor('the job to complete', async () => (await send(path))['status'] === 'COMPLETED')
    const { id } = await send(`${yields}/run`, { input: { count: 2 }, policy: { ttl: 0, executionTimeout: 0 } })
    const chunks: unknown[] = []
    await waitFor('the stream to end', async () => {
      const { status, stream } = await send(`${yields}/stream/${String(id)}?wait=5000`)
      chunks.push(...(stream as unknown[]))
      return status === 'COMPLETED'
    })
    expect(chunks).toEqual(SEVEN.slice(0, 2).map((output) => ({ output })))
    expect(await send(`${yields}/status/${String(id)}`)).toMatchObject({ status: 'COMPLETED' })
    const idle = await unserved('go')
    const waiting = await send(`${idle}/run`, { input: { n: 1 } })
    expect(await send(`${idle}/cancel/${String(waiting['id'])}`)).toEqual({ id: waiting['id'], status: 'CANCELLED' })
    expect(await send(`${idle}/purge-queue`)).toEqual({ removed: 0, status: 'completed' })
    expect(Object.keys((await send(`${echo}/health`, undefined, 'GET'))['workers'] as object).toSorted()).toEqual(WORKERS)
  })

  test.concurrent('client-api §13.11: Flash’s own models read /health and every terminal /status', async () => {
    const ended = [
      await stack.api.runsync(echo, { word: 'hello' }),
      await stack.api.runsync(echo, { error: 'no more cheese' }),
      await stack.api.settled(closed, await cancelled()),
    ]
    const args = [await stack.api.health(echo), ...ended].map((body) => JSON.stringify(body))
    const { found } = await runPython({ venv: 'flash-1.21', program: 'flash_models.py', args, env: {} })
    expect([Object.keys(found['jobs'] as object).toSorted(), Object.keys(found['workers'] as object).toSorted()]).toEqual([JOBS, WORKERS])
    expect(found['states']).toMatchObject([
      { status: 'COMPLETED', output: { echo: { word: 'hello' } } },
      { status: 'FAILED', error: 'no more cheese' },
      { status: 'CANCELLED', workerId: '', delayTime: 0, executionTime: 0 },
    ])
  })

  test.concurrent('client-api §13.12: /runsync and /stream honour wait, and an invalid wait is no error', async () => {
    const begun = Date.now()
    const sync = await stack.api.post(`/v2/${closed}/runsync?wait=1000`, { input: 1 })
    expect(sync).toMatchObject({ status: 200, json: { id: expect.stringMatching(/^sync-/), status: 'IN_QUEUE' } })
    expect(Date.now() - begun).toBeGreaterThan(990)
    const stream = await stack.api.get(`/v2/${closed}/stream/${String(sync.json['id'])}?wait=1000`)
    expect(stream).toMatchObject({ status: 200, json: { status: 'IN_QUEUE', stream: [] } })
    expect(Date.now() - begun).toBeGreaterThan(1980)
    for (const wait of ['abc', '1', '999999', '-1', '', '1e999', '2&wait=3']) {
      const answers = [
        await stack.api.post(`/v2/${echo}/runsync?wait=${wait}`, { input: {} }),
        await stack.api.get(`/v2/${yields}/stream/${await ended()}?wait=${wait}`),
      ]
      expect(answers.map(({ status }) => status)).toEqual([200, 200])
    }
  })

  test.concurrent('client-api §13.13, §13.14, §13.15: ids, keys, doubled slashes, unknown keys, and an empty input that arrives unchanged', async () => {
    const unknown = { input: {}, timeout: 3, webhookV2: 'x', policy: { unknown: 1 } }
    const { json } = await stack.api.post(`/v2//${echo}/run?what=ever`, unknown)
    expect(json).toEqual({ id: expect.stringMatching(/^[A-Za-z0-9_-]+$/), status: 'IN_QUEUE' })
    expect(await stack.api.settled(echo, String(json['id']))).toMatchObject({ output: { echo: {} } })
    const seeded = await stack.api.request(`/v2/${echo}/runsync`, { body: '{"input":{"seed":12345678901234567890}}' })
    // Exactly as the worker's SDK wrote it, including white space.
    expect(seeded.text).toMatch(/"echo": ?\{"seed": ?12345678901234567890\}/)
    const health = (authorization?: string) =>
      stack.api.request(`/v2//${echo}/health`, { key: null, ...(authorization === undefined ? {} : { headers: { authorization } }) })
    expect((await health(stack.key)).status).toBe(200)
    const refused = await health()
    expect([refused.status, refused.headers.get('content-type'), typeof refused.json['error']]).toEqual([
      401,
      expect.stringContaining('application/json'),
      'string',
    ])
  })

  test.concurrent('client-api §13.19: a receiver that responds 500 gets exactly three posts of the whole job, which stays COMPLETED', async () => {
    await using receiver = await startReceiver()
    receiver.answer = (response) => void response.writeHead(500).end()
    const id = await stack.api.run(echo, { word: 'hello' }, { webhook: receiver.url })
    const status = await stack.api.settled(echo, id)
    await waitFor('three attempts', async () => (await attempts()).length === 3, { timeoutMs: 60_000 })
    const bodies = receiver.received.map(({ json }) => json)
    expect(bodies).toEqual([1, 2, 3].map(() => ({ ...status, input: { word: 'hello' }, webhook: receiver.url })))
    const gaps = receiver.received.slice(1).map(({ at }, index) => at - (receiver.received[index]?.at ?? 0))
    for (const gap of gaps) expect(gap).toBeGreaterThan(5000)
    // Our retries continue where Runpod gives up, but with long pauses.
    expect(Number((await attempts())[0]?.['nextAt']) - Date.now()).toBeGreaterThan(60_000)
    expect(await job(echo, id)).toMatchObject({ status: 'COMPLETED', output: { echo: { word: 'hello' } } })
  })

  test.concurrent('client-api §13.20: the latest progress is shown while a job runs; progress after its end has no effect', async () => {
    const posts = singleWorker.asked.count('job-done')
    const gate = join(stack.dataDir, 'progress-shown')
    const id = await stack.api.run(single, { progress: '50 %', until: gate, late: '60 %' })
    const shown = await waitFor('the progress', async () => {
      const status = await job(single, id)
      return 'output' in status ? status : undefined
    })
    expect(shown).toMatchObject({ status: 'IN_PROGRESS', output: '50 %' })
    await writeFile(gate, '')
    const end = await stack.api.settled(single, id)
    expect(end).toMatchObject({ status: 'COMPLETED', output: { echo: { progress: '50 %' } } })
    await waitFor('the late progress', () => singleWorker.asked.count('job-done') === posts + 3)
    expect(await stack.api.runsync(single, {})).toMatchObject({ status: 'COMPLETED' })
    expect(await job(single, id)).toEqual(end)
  })

  /** A new endpoint without workers. */
  const unserved = (name: string) => stack.api.saveEndpoint({ name })
  const clientOf = (endpoint: string, url: string): SdkEndpoint =>
    runpodSdk(stack.key, { baseUrl: `${url}/v2` }).endpoint(endpoint) as unknown as SdkEndpoint
  const attempts = async () => (await stack.api.get(`/v2/serverless/${echo}/webhooks`)).json['attempts'] as Record<string, unknown>[]
  const cancelled = async (): Promise<string> => {
    const id = await stack.api.run(closed, 1)
    await stack.api.post(`/v2/${closed}/cancel/${id}`, {})
    return id
  }
  const ended = async (): Promise<string> => (await stack.api.runsync(yields, { count: 0 })).id
})

interface SdkJob {
  readonly id: string
  readonly status: string
  readonly completed?: boolean
}

interface SdkEndpoint {
  readonly run: (request: { input: unknown }) => Promise<SdkJob>
  readonly runSync: (request: { input: unknown }, timeout: number) => Promise<SdkJob>
  readonly status: (id: string) => Promise<SdkJob>
  readonly cancel: (id: string) => Promise<SdkJob>
  readonly health: () => Promise<unknown>
  readonly purgeQueue: () => Promise<unknown>
  readonly stream: (id: string) => AsyncGenerator
}
