// Rows of the clients' check list that need a scaler, or short holds, retention and rate limits. Rows that plain handlers show with the list's
// own figures are in `client-rows.test.ts`.
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingProxy } from '../harness/counting-proxy.ts'
import { runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, NAP, sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

const echo = sourceCall('echo', ECHO, { value: 'hello' })
/** Fails through its own execution timeout, because an exception of a function is reported inside its envelope. */
const timesOut = { policy: { executionTimeout: 5000 } }
const nap = (seconds: number) => sourceCall('nap', NAP, { seconds, value: 'rested' })

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'the client contract', () => {
  let stack: Stack
  let endpoint: string
  /** Without workers, so its jobs wait. */
  let closed: string

  beforeAll(async () => {
    stack = await startStack({
      host: 'process',
      settings: {
        RUNYARD_HOLDS_RUNSYNC_S: '2',
        RUNYARD_RETENTION_SYNC_S: '2',
        RUNYARD_RETENTION_ASYNC_S: '15',
        RUNYARD_RATE_LIMITS_REQUESTS: '1',
      },
    })
    endpoint = await stack.api.saveEndpoint({ name: 'contract', idleTimeout: 60, workersMax: 6 })
    closed = await stack.api.saveEndpoint({ name: 'closed', workersMax: 0 })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const post = (path: string) => stack.api.request(`/v2/${path}`, { method: 'POST' })
  const job = async (id: string) => (await stack.api.get(`/v2/${endpoint}/status/${id}`)).json

  test.concurrent('client-api §13.2, §13.6: runpod 1.12 survives a short hold, returns None for a timeout and waits after a 429', async () => {
    await using proxy = await startCountingProxy(stack.url)
    const limited = await stack.api.saveEndpoint({ name: 'limited', workersMax: 0 })
    const args = [endpoint, limited, JSON.stringify({ slow: nap(5), failing: { input: nap(60), ...timesOut } })]
    const env = { ...stack.env, RUNPOD_ENDPOINT_BASE_URL: `${proxy.url}/v2` }
    const { found } = await runPython({ venv: 'runpod-1.12', program: 'runpod_contract.py', args, env })
    expect(valueOf(found['slow'])).toMatchObject({ value: 'rested' })
    expect(found['failed']).toEqual({ value: null, status: 'FAILED', error: 'executionTimeout exceeded' })
    expect(found['failedSync']).toBeNull()
    expect(found['limited']).toEqual([expect.objectContaining({ requests: [] }), expect.objectContaining({ requests: [] })])
    // One allowed request, one rejected request, and the same one again after the pause in the response.
    expect(proxy.count('requests')).toBe(3)
  })

  test.concurrent('client-api §13.16: a failed job that is retried runs once more under its id, on another worker', async () => {
    const once = sourceCall('once', HANG_ONCE, { marker: `${stack.dataDir}/marker` })
    const id = await stack.api.run(endpoint, once, timesOut)
    const failed = await stack.api.settled(endpoint, id)
    expect(failed).toMatchObject({ status: 'FAILED', error: 'executionTimeout exceeded' })
    expect((await post(`${endpoint}/retry/${id}`)).json).toEqual({ id, status: 'IN_QUEUE' })
    expect(await job(id)).not.toHaveProperty('error')
    const done = await stack.api.settled(endpoint, id)
    expect(done).toMatchObject({ id, status: 'COMPLETED' })
    expect(valueOf(done['output'])).toMatchObject({ value: 'at last' })
    expect(done['workerId']).not.toBe(failed['workerId'])
    expect((await post(`${endpoint}/retry/${id}`)).status).toBe(400)
  })

  test.concurrent('client-api §13.17: purge-queue removes waiting jobs, leaves running ones, and ends the polls of purged jobs', async () => {
    const one = await stack.api.saveEndpoint({ name: 'one', workersMax: 1, idleTimeout: 60 })
    const gate = `${stack.dataDir}/purged`
    const running = await stack.api.run(one, sourceCall('until', UNTIL, { path: gate }))
    await waitFor('the job to run', async () => ((await stack.api.status(one, running)).status === 'IN_PROGRESS' ? true : undefined))
    const waiting = [await stack.api.run(one, echo), await stack.api.run(one, echo)]
    const queueReason = async () => (await stack.api.status(one, waiting[0] ?? ''))['queueReason']
    await expect.poll(queueReason, { timeout: 60_000, interval: 300 }).toBe('workers_busy')
    expect((await post(`${one}/purge-queue`)).json).toEqual({ removed: 2, status: 'completed' })
    for (const id of waiting) expect(await stack.api.settled(one, id)).toMatchObject({ status: 'CANCELLED' })
    await writeFile(gate, '')
    expect(await stack.api.settled(one, running)).toMatchObject({ status: 'COMPLETED' })
  })

  test.concurrent('client-api §13.18: a ttl ends waiting and running jobs; an execution timeout fails a job, and its own overrides the endpoint’s', async () => {
    const short = await stack.api.saveEndpoint({ name: 'short', workersMax: 2, executionTimeoutMs: 5000 })
    const waiting = await stack.api.run(closed, echo, { policy: { ttl: 10_000 } })
    const running = await stack.api.run(endpoint, nap(60), { policy: { ttl: 10_000 } })
    const tooLong = await stack.api.run(endpoint, nap(60), timesOut)
    const byDefault = await stack.api.run(short, nap(60))
    const exempt = await stack.api.run(short, nap(7), { policy: { executionTimeout: 60_000 } })
    expect(await stack.api.status(closed, waiting)).toMatchObject({ status: 'IN_QUEUE', queueReason: 'paused' })
    // All at once, because a result is removed 15 s after its end.
    const ends = [stack.api.settled(endpoint, tooLong), stack.api.settled(short, byDefault), stack.api.settled(short, exempt)]
    const timedOut = { status: 'FAILED', error: 'executionTimeout exceeded' }
    expect(await Promise.all(ends)).toMatchObject([timedOut, timedOut, { status: 'COMPLETED' }])
    for (const [where, id] of [
      [closed, waiting],
      [endpoint, running],
    ] as const) {
      const gone = await waitFor('the job to be deleted', async () => {
        const answer = await stack.api.get(`/v2/${where}/status/${id}`)
        return answer.status === 404 ? answer.json : undefined
      })
      expect(gone['error']).toMatch(/was deleted by its ttl at/)
    }
  })

  test.concurrent('client-api §13.21: results of /runsync and /run expire after their own retention; then a 404 says when', async () => {
    const sync = (await stack.api.post(`/v2/${endpoint}/runsync?wait=60000`, { input: echo })).json
    expect(sync).toMatchObject({ status: 'COMPLETED' })
    const async = await stack.api.run(endpoint, echo)
    await stack.api.settled(endpoint, async)
    const gone = (id: string) =>
      waitFor('the result to expire', async () => {
        const answer = await stack.api.get(`/v2/${endpoint}/status/${id}`)
        return answer.status === 404 ? String(answer.json['error']) : undefined
      })
    expect(await gone(String(sync['id']))).toMatch(/was COMPLETED; its result expired at .*, 2 seconds after it ended/)
    expect((await stack.api.status(endpoint, async)).status).toBe('COMPLETED')
    expect(await gone(async)).toMatch(/was COMPLETED; its result expired at .*, 15 seconds after it ended/)
  })
})

const HANG_ONCE = `
def once(marker):
    import os, time
    if not os.path.exists(marker):
        open(marker, "w").close()
        time.sleep(60)
    return {"value": "at last"}
`
