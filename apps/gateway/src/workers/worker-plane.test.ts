// The worker protocol as real SDKs speak it (worker-api §1–§11) and the server behaviours that would hurt them (worker-api §17), against real sockets
// and a real Redis.
import { createSend, type Answer } from '@runyard/testing'
import { describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ limits: { resultBytes: 300_000 }, lease: { durationS: 30, budget: 2 } }, (site) => {
  ;({ gateway, ep, worker } = site)
})

const recordOf = (): Promise<Record<string, unknown> | undefined> => gateway.store.workers.get(ep, worker.id)
const takeBatch = (size: number, by = worker): Promise<Answer> => by.send(`/v2/${ep}/job-take-batch/${by.id}?gpu=x&batch_size=${size}`)
const chunk = (jobId: string, output: unknown): Promise<Answer> => worker.stream(jobId, { output })
const stopPoll = (by = worker): Promise<Answer> => by.send(`/v2/${ep}/job-stop/${by.id}?gpu=x`)

/** Parks a take and proves that it is held: the endpoint's only worker gets the next job. */
function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 50, pending))]).then((first) => first === pending)
}

/** Whose order counts, waits in this order. */
const untilParked = (one: TestWorker) => expect.poll(() => gateway.parkedTakes(one.id)).toBe(1)

describe('taking jobs', () => {
  // worker-api §17.1, §17.5
  it('holds an empty poll and answers it with the next job', async () => {
    const poll = worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)
    expect(await isPending(poll)).toBe(true)
    const id = await gateway.submit(ep, { deep: [1] })
    const answer = await poll
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(answer.json).toEqual({ id, input: { deep: [1] } })
  })

  // worker-api §17.6
  it('never hands out more than the batch that was asked for, and no id twice', async () => {
    const ids = new Set(await Promise.all([1, 2, 3, 4, 5].map((input) => gateway.submit(ep, input))))
    const first = (await takeBatch(2)).as<{ id: string }[]>()
    const second = (await takeBatch(10)).as<{ id: string }[]>()
    expect([first.length, second.length]).toEqual([2, 3])
    expect(new Set([...first, ...second].map(({ id }) => id))).toEqual(ids)
  })

  it('spreads a burst over the workers that wait', async () => {
    const workers = [worker, await gateway.addWorker(ep), await gateway.addWorker(ep)]
    const polls = workers.map((one) => takeBatch(10, one))
    for (const one of workers) await untilParked(one)
    await Promise.all([gateway.submit(ep, 1), gateway.submit(ep, 2), gateway.submit(ep, 3)])
    const batches = (await Promise.all(polls)).map((answer) => answer.as<unknown[]>())
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1])
  })

  it('serves the worker that came last first, so that idle ones stay idle', async () => {
    const later = await gateway.addWorker(ep)
    const controller = new AbortController()
    const first = worker.take({ signal: controller.signal })
    await untilParked(worker)
    const second = later.take()
    await untilParked(later)
    const id = await gateway.submit(ep)
    expect((await second)?.id).toBe(id)
    controller.abort()
    await expect(first).rejects.toThrow(/abort/i)
  })

  it('loses no wake: every job of many reaches one of few workers', async () => {
    const workers = [worker, await gateway.addWorker(ep), await gateway.addWorker(ep)]
    const total = 150
    const seen: string[] = []
    const loops = workers.map(async (one) => {
      while (seen.length < total) {
        const job = await one.take({ signal: AbortSignal.timeout(10_000) })
        if (job === undefined) continue
        seen.push(job.id)
        await one.done(job.id, { output: 1 })
        if (seen.length === total) for (let rest = 1; rest < workers.length; rest += 1) await gateway.submit(ep, 'last')
      }
    })
    await Promise.all(Array.from({ length: total }, (_, index) => gateway.submit(ep, index)))
    await Promise.all(loops)
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('serves several single polls of one worker side by side, as SDKs up to 1.6 with concurrency make them', async () => {
    const polls = [worker.take(), worker.take(), worker.take()]
    for (const poll of polls) expect(await isPending(poll)).toBe(true)
    const ids = await Promise.all([1, 2, 3].map((input) => gateway.submit(ep, input)))
    expect(new Set((await Promise.all(polls)).map((job) => job?.id))).toEqual(new Set(ids))
  })

  // worker-api §17.5
  it.each([false, 0, '', [], {}])('a job always has its input, %j too: without the key the SDK would drop it', async (input) => {
    const id = await gateway.submit(ep, input)
    expect((await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)).json).toEqual({ id, input })
  })

  it('gives a job back when the socket of its poll has gone', async () => {
    const controller = new AbortController()
    const poll = worker.take({ signal: controller.signal })
    expect(await isPending(poll)).toBe(true)
    controller.abort()
    await expect(poll).rejects.toThrow(/abort/i)
    const id = await gateway.submit(ep)
    const other = await gateway.addWorker(ep)
    expect((await other.take())?.id).toBe(id)
    expect((await gateway.statusOf(ep, id))['retries']).toBeUndefined()
  })

  // worker-api §17.4
  it('gives nothing to a draining, outdated or unhealthy worker', async () => {
    await worker.ping()
    for (const change of [{ drainingSince: 1 }, { outdatedSince: 1 }, { unhealthyReason: 'x' }, { refreshRequested: true }]) {
      const other = await gateway.addWorker(ep)
      await gateway.store.workers.patch({ endpointId: ep, workerId: other.id, fields: change })
      const poll = other.take({ signal: AbortSignal.timeout(200) }).catch(() => undefined)
      const id = await gateway.submit(ep)
      expect((await worker.take())?.id).toBe(id)
      expect(await poll).toBeUndefined()
    }
  })

  it('gives a job that came after an update to a worker of the new version only', async () => {
    const old = [worker.take(), worker.take()]
    expect(await isPending(Promise.race(old))).toBe(true)
    await gateway.store.endpoints.upsert({ id: ep }, (current) => {
      if (current === undefined) throw new Error('the endpoint is gone')
      return { ...current, version: 2 }
    })
    const id = await gateway.submit(ep)
    const fresh = await gateway.addWorker(ep, { endpointVersion: 2 })
    expect((await fresh.take())?.id).toBe(id)
    expect(await isPending(Promise.race(old))).toBe(true)
    const next = fresh.take()
    const second = await gateway.submit(ep)
    expect((await next)?.id).toBe(second)
  })

  it('answers the held polls of a worker that drains and holds no job', async () => {
    const take = worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)
    const stop = stopPoll()
    expect(await isPending(take)).toBe(true)
    await gateway.store.workers.patch({
      endpointId: ep,
      workerId: worker.id,
      fields: { drainingSince: Date.now(), retireReason: 'idle_timeout' },
    })
    expect([(await take).status, (await stop).status]).toEqual([204, 204])
  })

  it.each([{ refreshRequested: true }, { outdatedSince: 1 }, { drainingSince: 1 }])(
    'answers each poll of a worker that leaves and is free soon, and not at once: %j',
    async (change) => {
      const leaving = await gateway.addWorker(ep)
      const first = leaving.take()
      await untilParked(leaving)
      await gateway.store.workers.patch({ endpointId: ep, workerId: leaving.id, fields: change })
      expect(await first).toBeUndefined()
      // Its SDK asks again at once, and ends when that is answered, too.
      const asked = [leaving.take(), stopPoll(leaving)]
      expect(await isPending(Promise.race(asked))).toBe(true)
      const limit = new Promise((resolve) => setTimeout(resolve, 10_000, 'held'))
      expect(await Promise.race([Promise.all(asked), limit])).not.toBe('held')
    },
  )

  it('answers the polls of a draining worker once its last job has ended', async () => {
    const id = await worker.startJob()
    const stop = stopPoll()
    await gateway.store.workers.patch({
      endpointId: ep,
      workerId: worker.id,
      fields: { drainingSince: Date.now(), retireReason: 'idle_timeout' },
    })
    expect(await isPending(stop)).toBe(true)
    await worker.done(id, { output: 1 })
    expect((await stop).status).toBe(204)
  })

  it('holds the poll of a worker that is not known any more', async () => {
    await gateway.store.workers.remove(ep, worker.id, undefined)
    const controller = new AbortController()
    const poll = worker.take({ signal: controller.signal })
    expect(await isPending(poll)).toBe(true)
    controller.abort()
    await expect(poll).rejects.toThrow(/abort/i)
  })
})

describe('tokens', () => {
  it('accepts the token raw and as a bearer', async () => {
    for (const authorization of [worker.token, `Bearer ${worker.token}`]) {
      expect((await worker.send(`/v2/${ep}/ping/${worker.id}`, { headers: { authorization } })).status).toBe(200)
    }
  })

  it('is good for its own worker and endpoint alone', async () => {
    const other = await gateway.addWorker(ep)
    const elsewhere = (await gateway.addEndpoint()).id
    for (const path of [`/v2/${ep}/ping/${other.id}`, `/v2/${elsewhere}/ping/${worker.id}`])
      expect((await worker.send(path)).status).toBe(401)
  })

  // worker-api §17.2, §15.4
  it('a poll with a wrong token is asked to pause: 429 with Retry-After', async () => {
    const paths = ['job-take', 'job-take-batch', 'job-stop']
    const answers = await Promise.all(
      paths.map((path) => gateway.callPlane(`/v2/${ep}/${path}/${worker.id}`, { headers: { authorization: 'wrong' } })),
    )
    expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual(paths.map(() => [429, '5']))
  })

  it('opens nothing else: no job plane without an API key, no management, no metrics', async () => {
    expect((await worker.send(`/v2/${ep}/health`)).status).toBe(401)
    expect((await worker.send('/graphql', { method: 'POST', body: {} })).status).toBe(404)
    expect((await worker.send('/metrics')).status).toBe(404)
  })

  it('an API key may call functions on the worker plane, but is no worker', async () => {
    const nested = createSend(gateway.workerPlaneUrl, { authorization: `Bearer ${gateway.key}` })
    expect((await nested(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).status).toBe(200)
    expect((await nested(`/v2/${ep}/ping/${worker.id}`)).status).toBe(401)
    expect((await createSend(gateway.publicUrl, { authorization: worker.token })(`/v2/${ep}/job-take/${worker.id}`)).status).toBe(404)
  })
})

describe('posting results', () => {
  it.each([
    [{ output: true }, { status: 'COMPLETED', output: true }],
    [{ output: [] }, { status: 'COMPLETED', output: [] }],
    [{ output: { output: 1 } }, { status: 'COMPLETED', output: { output: 1 } }],
    [{ error: 'text' }, { status: 'FAILED', error: 'text' }],
    [{ error: { code: 7 } }, { status: 'FAILED', error: '{"code":7}' }],
    [
      { error: 'text', output: 1 },
      { status: 'FAILED', error: 'text', output: 1 },
    ],
    [{}, { status: 'COMPLETED' }],
    [
      { output: 1, error: '' },
      { status: 'COMPLETED', output: 1 },
    ],
    ['{"output": [NaN, -Infinity, "NaN"]}', { status: 'COMPLETED', output: [null, null, 'NaN'] }],
    [[1, 2], { status: 'COMPLETED', output: [1, 2] }],
    [{ text: 'bare' }, { status: 'COMPLETED', output: { text: 'bare' } }],
    ['{broken', { status: 'FAILED', error: 'the worker posted a result that is not JSON, or nested too deeply' }],
  ])('a body %j ends the job as %j', async (body, expected) => {
    const id = await worker.startJob()
    expect((await worker.done(id, body)).status).toBe(200)
    expect(await gateway.statusOf(ep, id)).toMatchObject(expected)
  })

  it('a body that is nested too deeply ends the job as failed', async () => {
    const id = await worker.startJob()
    expect((await worker.done(id, `{"output":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).status).toBe(200)
    const error = 'the worker posted a result that is not JSON, or nested too deeply'
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'FAILED', error })
  })

  // worker-api §17.7, §15.7: the id in the header may be that of a later job (worker-api §3).
  it.each(['application/x-www-form-urlencoded', 'application/json; charset=utf-8', 'text/plain', 'application/octet-stream', 'json', ''])(
    'reads JSON under any content type: %j',
    async (type) => {
      const id = await worker.startJob()
      expect((await worker.done(id, { output: 'ü' }, { 'content-type': type, 'x-request-id': 'another' })).status).toBe(200)
      expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 'ü' })
    },
  )

  // worker-api §17.10
  it('answers posts itself, never with a redirect, at which a result would be lost', async () => {
    const id = await worker.startJob()
    for (const route of ['job-stream', 'job-done']) {
      const url = `${gateway.workerPlaneUrl}/v2/${ep}/${route}/${worker.id}/${id}?gpu=x&isStream=false`
      const answer = await fetch(url, { method: 'POST', body: '{"output":1}', headers: { authorization: worker.token }, redirect: 'error' })
      expect(answer.status).toBe(200)
    }
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 1 })
  })

  it('progress and chunks that come after the end change nothing', async () => {
    const id = await worker.startJob()
    await worker.done(id, { output: 1 })
    const before = await gateway.statusOf(ep, id)
    const late = [await worker.done(id, { status: 'IN_PROGRESS', output: 'half' }), await chunk(id, 'late')]
    expect(late.map(({ status }) => status)).toEqual([200, 200])
    expect(await gateway.statusOf(ep, id)).toEqual(before)
    expect((await gateway.call(`/v2/${ep}/stream/${id}`)).json).toMatchObject({ status: 'COMPLETED', stream: [] })
  })

  // worker-api §17.7
  it('a result over the limit fails its job in clear words', async () => {
    const id = await worker.startJob()
    await worker.done(id, { output: 'x'.repeat(400_000) }).catch(() => undefined)
    await expect.poll(async () => (await gateway.statusOf(ep, id))['error']).toContain('larger than 300000 bytes')
  })

  it('stopPod ends the job, asks for a fresh worker and lets the polls go', async () => {
    const id = await worker.startJob()
    const stop = stopPoll()
    expect(await isPending(stop)).toBe(true)
    await worker.done(id, { output: 1, stopPod: true })
    expect((await stop).status).toBe(204)
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 1 })
    expect((await recordOf())?.['refreshRequested']).toBe(true)
  })

  it('the agent’s timings are kept and show when the function was entered', async () => {
    const id = await worker.startJob()
    const timings = JSON.stringify({ enteredAt: Date.now(), returnedAt: Date.now() })
    await worker.done(id, { output: 1 }, { 'x-runyard-timings': timings })
    expect((await gateway.store.jobs.get(ep, id))?.timings).toEqual(JSON.parse(timings))
    const kinds = async (): Promise<readonly unknown[]> =>
      (await gateway.store.events.list(ep, 50)).filter(({ jobId }) => jobId === id).map(({ kind, message }) => message ?? kind)
    await expect.poll(kinds).toEqual(['job_queued', 'job_started', 'function entered', 'job_settled'])
  })

  it('keeps connections open between requests for longer than SDKs do', async () => {
    expect((await worker.ping()).headers.get('keep-alive')).toBe('timeout=80')
  })
})

describe('the heartbeat', () => {
  it('the first contact makes a worker ready, once, in its record, its ledger and its history', async () => {
    await Promise.all([worker.ping([], '&runpod_version=1.12.0'), worker.ping(), worker.ping()])
    await expect.poll(async () => (await recordOf())?.['readyAt']).toEqual(expect.any(Number))
    expect(await recordOf()).toMatchObject({ sdkVersion: '1.12.0', lastSeenAt: expect.any(Number) as number })
    await expect.poll(() => gateway.store.ledger.currentState(worker.id)).toBe('running')
    const ready = async (): Promise<number> =>
      (await gateway.store.events.list(ep, 50)).filter(({ kind }) => kind === 'worker_ready').length
    await expect.poll(ready).toBe(1)
    const metrics = (await createSend(gateway.publicUrl)('/metrics')).text
    expect(metrics).toContain(`runyard_worker_start_seconds_count{endpoint="${ep}",endpoint_id="${ep}",phase="total"} 1`)
  })

  it('a job missing from consecutive pings goes to another worker, and its worker is replaced', async () => {
    const id = await worker.startJob()
    const ping = async (): Promise<unknown> => {
      await worker.ping()
      return (await gateway.statusOf(ep, id))['status']
    }
    await expect.poll(ping).toBe('IN_QUEUE')
    expect((await recordOf())?.['refreshRequested']).toBe(true)
    const other = await gateway.addWorker(ep)
    expect((await other.take())?.id).toBe(id)
    await other.done(id, { output: 1 })
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', retries: 1 })
  })

  it('late pings of a worker that is gone bring nothing back', async () => {
    const id = await worker.startJob()
    await gateway.store.workers.remove(ep, worker.id, undefined)
    await gateway.store.jobs.takeBack({ endpointId: ep, jobId: id, workerId: worker.id }, { budget: 2, evidence: 'test' })
    for (let count = 0; count < 4; count += 1) expect((await worker.ping([id])).status).toBe(200)
    expect(await recordOf()).toBeUndefined()
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'IN_QUEUE' })
  })

  it('a job that pings name stays with its worker', async () => {
    const id = await worker.startJob()
    for (let count = 0; count < 5; count += 1) await worker.ping(['unrelated', id])
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'IN_PROGRESS', workerId: worker.id })
  })

  it('names up to 64 KiB of jobs', async () => {
    const id = await worker.startJob()
    const others = Array.from({ length: 1600 }, (_, count) => `${id.slice(0, 32)}${count}`)
    expect((await worker.ping([...others, id])).status).toBe(200)
  })

  it('a death note marks the worker unhealthy and does not make it ready', async () => {
    await worker.ping([], '&status=unhealthy&check=_network_check&reason=OSError')
    expect(await recordOf()).toMatchObject({ unhealthyReason: '_network_check: OSError' })
    expect((await recordOf())?.['readyAt']).toBeUndefined()
  })
})

describe('the stop channel', () => {
  // worker-api §17.11, §17.12
  it('sends the stop order of a cancelled job to its worker once', async () => {
    const id = await worker.startJob()
    const poll = stopPoll()
    expect(await isPending(poll)).toBe(true)
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    expect((await poll).json).toEqual({ jobsToStop: [id] })
    const next = stopPoll()
    await worker.ping([id])
    expect(await isPending(next)).toBe(true)
    await gateway.store.workers.patch({ endpointId: ep, workerId: worker.id, fields: { drainingSince: Date.now() } })
    expect((await next).status).toBe(204)
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'CANCELLED' })
  })

  it('keeps the order for a worker that is not listening at that moment', async () => {
    const id = await worker.startJob()
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    expect((await stopPoll()).json).toEqual({ jobsToStop: [id] })
  })

  it('sends an order once more to a worker that did not get it, before it is replaced', async () => {
    const id = await worker.startJob()
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    expect((await stopPoll()).json).toEqual({ jobsToStop: [id] })
    const again = stopPoll()
    await worker.ping([id])
    expect(await isPending(again)).toBe(true)
    await worker.ping([id])
    expect((await again).json).toEqual({ jobsToStop: [id] })
    await worker.ping([])
    expect((await recordOf())?.['refreshRequested']).toBeUndefined()
  })

  it('replaces a worker that goes on naming a stopped job', async () => {
    const id = await worker.startJob()
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    for (let count = 0; count < 3; count += 1) await worker.ping([id])
    expect((await recordOf())?.['refreshRequested']).toBe(true)
  })
})

it('a worker that names a job which its own result has ended is neither stopped nor replaced', async () => {
  const id = await worker.startJob()
  await worker.done(id, { output: 1 })
  const stop = stopPoll()
  for (let count = 0; count < 4; count += 1) await worker.ping([id])
  expect(await isPending(stop)).toBe(true)
  expect((await recordOf())?.['refreshRequested']).toBeUndefined()
})

describe('SDK 1.7.1, which never names its jobs', () => {
  it('keeps them as long as it pings, and is replaced at once when it is to stop one', async () => {
    const id = await worker.startJob()
    for (let count = 0; count < 4; count += 1) await worker.ping([], '&runpod_version=1.7.1')
    expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'IN_PROGRESS', workerId: worker.id })
    await gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
    await expect.poll(async () => (await recordOf())?.['refreshRequested']).toBe(true)
  })
})

describe('what operators see', () => {
  it('the endpoint’s metrics name its ready workers', async () => {
    const id = await worker.startJob()
    const metrics = async () => (await gateway.call(`/v2/${ep}/metrics`)).json
    await expect.poll(metrics).toMatchObject({ readyWorkers: [worker.id], workers: { running: 1 }, jobs: { inProgress: 1 } })
    await worker.done(id, {})
  })

  it('/health says why a wanted worker is not there', async () => {
    const message = 'no host has a GPU of the requested types: NVIDIA H100'
    await gateway.store.status.put(ep, { at: Date.now(), throttled: 1, reason: 'no_matching_gpu', message, unhealthy: 0 })
    expect((await gateway.call(`/v2/${ep}/health`)).json).toMatchObject({ workers: { throttled: 1 }, reason: 'no_matching_gpu', message })
  })

  it('Prometheus sees queue, workers and billable seconds, labelled by endpoint and never by job or worker', async () => {
    const id = await worker.startJob()
    await worker.done(id, { output: 1 })
    await gateway.submit(ep)
    const metrics = async (): Promise<string> => (await createSend(gateway.publicUrl)('/metrics')).text
    // That a worker is there is noted in the background.
    await expect.poll(metrics).toContain(`runyard_workers{endpoint="${ep}",endpoint_id="${ep}",phase="idle"} 1`)
    const text = await metrics()
    expect(text).toContain(`runyard_queue_jobs{endpoint="${ep}",endpoint_id="${ep}",state="waiting"} 1`)
    expect(text).toContain(`runyard_job_run_seconds_count{endpoint="${ep}",endpoint_id="${ep}"} 1`)
    expect(text).toContain('runyard_billable_seconds_total')
    expect(text).not.toContain(id)
    expect(text).not.toContain(worker.id)
  })

  it('Prometheus sees deleted endpoints as their owner’s, however many there were', async () => {
    const { store } = gateway
    for (const name of ['one', 'two', 'three']) {
      const { id } = await gateway.addEndpoint()
      await store.ledger.transition({ workerId: name, endpointId: id, gpuType: null, gpuCount: 0, state: 'running', at: 1000 })
      await store.ledger.close(name, 2000)
      await store.endpoints.delete(id)
      if (name !== 'three') await store.endpoints.forget(id)
    }
    const { text } = await gateway.call('/metrics')
    const lines = text.split('\n')
    expect(lines).toContain('runyard_deleted_endpoints_billable_seconds_total{owner="owner",gpu="cpu",state="running"} 3')
    const ids = new Set((await store.endpoints.list()).map(({ id }) => id as string))
    const named = lines.flatMap((line) => /^runyard_billable_seconds_total\{.*endpoint_id="([^"]*)"/.exec(line)?.[1] ?? [])
    expect(named.filter((id) => !ids.has(id))).toEqual([])
  })

  it('a worker’s log is read with times finer than a millisecond, by its owner only', async () => {
    await gateway.store.workerLogs.append(worker.id, 'container', [{ at: 1_700_000_000_123.5, line: 'hello' }])
    for (const path of ['/hapi/v1/pod', '/v1/pod']) {
      const { json } = await gateway.call(`${path}/${worker.id}/logs`)
      expect(json).toEqual({ container: ['2023-11-14T22:13:20.123500Z hello'], system: [] })
    }
    expect((await gateway.call('/hapi/v1/pod/no-such/logs')).status).toBe(404)
    expect((await createSend(gateway.publicUrl)(`/hapi/v1/pod/${worker.id}/logs`)).status).toBe(401)
  })

  it('probes answer without a key', async () => {
    const open = createSend(gateway.publicUrl)
    expect([(await open('/healthz')).status, (await open('/readyz')).status]).toEqual([200, 200])
    expect((await open('/readyz')).json).toMatchObject({ ok: true, redisMemory: { usedBytes: expect.any(Number) } })
  })
})
