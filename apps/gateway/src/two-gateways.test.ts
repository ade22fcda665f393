// Gateways are stateless: any of them may take a request, a poll or a result (ADR 23).
import { setTimeout as sleep } from 'node:timers/promises'
import { createSend, openLine } from '@runyard/testing'
import { beforeAll, expect, it } from 'vitest'
import { startGateway, type TestGateway, type TestWorker } from './testing/gateway.ts'
import { useGateways } from './testing/use-gateway.ts'

const start = useGateways()
let one: TestGateway
let other: TestGateway

beforeAll(async () => {
  one = await start({}, { prefix: 'shared' })
  other = await start({}, { prefix: 'shared' })
})

/** The same worker, talking to the other gateway. */
function viaOther(worker: TestWorker) {
  return createSend(other.workerPlaneUrl, { authorization: worker.token })
}

it('a job accepted by one gateway is taken and finished at another, and its caller hears of it', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const send = viaOther(worker)
  const poll = send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)
  await expect.poll(async () => (await one.store.workers.get(ep, worker.id))?.readyAt).toBeDefined()
  const answer = one.call(`/v2/${ep}/runsync`, { method: 'POST', body: { input: 1 } })
  const { json } = await poll
  await send(`/v2/${ep}/job-done/${worker.id}/${String(json['id'])}`, { method: 'POST', body: { output: 2 } })
  expect((await answer).json).toMatchObject({ id: json['id'], status: 'COMPLETED', output: 2 })
})

it('a result may be posted to a gateway that never handed the job out', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const { json } = await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect((await worker.take())?.id).toBe(json['id'])
  const posted = await viaOther(worker)(`/v2/${ep}/job-done/${worker.id}/${String(json['id'])}`, { method: 'POST', body: { output: 3 } })
  expect(posted.status).toBe(200)
  expect((await one.call(`/v2/${ep}/status/${String(json['id'])}`)).json).toMatchObject({ status: 'COMPLETED', output: 3 })
})

it('a cancel at one gateway reaches the worker that listens at another', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const { json } = await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  const send = viaOther(worker)
  expect((await send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)).json['id']).toBe(json['id'])
  const stop = send(`/v2/${ep}/job-stop/${worker.id}?gpu=x`)
  await one.call(`/v2/${ep}/cancel/${String(json['id'])}`, { method: 'POST' })
  expect((await stop).json).toEqual({ jobsToStop: [json['id']] })
})

it('a worker whose first requests reach two gateways becomes ready once', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  await Promise.all([worker.ping(), viaOther(worker)(`/v2/${ep}/ping/${worker.id}?gpu=x`)])
  const events = async () => (await one.store.events.list(ep, 10)).map(({ kind }) => kind)
  await expect.poll(events).toContain('worker_ready')
  const metrics = await Promise.all([one, other].map(async ({ publicUrl }) => (await createSend(publicUrl)('/metrics')).text))
  expect(
    metrics.join('').match(new RegExp(`worker_start_seconds_count{endpoint="${ep}",endpoint_id="${ep}",phase="total"} 1`, 'g')),
  ).toHaveLength(1)
})

it('a job that its worker has lost is missed by the gateway that gets the pings, and the worker cannot take it again anywhere', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const { json } = await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect((await worker.take())?.id).toBe(json['id'])
  const parked = worker.take()
  const send = viaOther(worker)
  const pingUntilBack = async () => {
    await send(`/v2/${ep}/ping/${worker.id}?gpu=x`)
    return (await one.store.jobs.get(ep, String(json['id'])))?.status
  }
  await expect.poll(pingUntilBack).toBe('IN_QUEUE')
  const healthy = await one.addWorker(ep)
  expect((await healthy.take())?.id).toBe(json['id'])
  expect(await parked).toBeUndefined()
  await healthy.done(String(json['id']), { output: 1 })
  expect(await one.store.jobs.get(ep, String(json['id']))).toMatchObject({ status: 'COMPLETED', retries: 1 })
})

it('an order to stop a job is void once its worker has that job again', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const ids = await Promise.all(
    [1, 2].map(async (input) => (await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input } })).json['id']),
  )
  const held = (await worker.take())?.id ?? ''
  const cancelled = ids.map(String).find((id) => id !== held) ?? ''
  expect((await worker.take())?.id).toBe(cancelled)
  await viaOther(worker)(`/v2/${ep}/ping/${worker.id}?gpu=x&job_id=${held}`)
  one.store.publish({ kind: 'job-stop', endpointId: ep, jobId: held, workerId: worker.id })
  await one.call(`/v2/${ep}/cancel/${cancelled}`, { method: 'POST' })
  const ordered = async () => (await viaOther(worker)(`/v2/${ep}/job-stop/${worker.id}?gpu=x`)).json
  await expect.poll(ordered).toEqual({ jobsToStop: [cancelled] })
})

it('a result posted at one gateway lets the polls go that another holds for a leaving worker', async () => {
  const { id: ep } = await one.addEndpoint()
  const worker = await one.addWorker(ep)
  const { json } = await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect((await worker.take())?.id).toBe(json['id'])
  const held = [worker.take(), worker.send(`/v2/${ep}/job-stop/${worker.id}?gpu=x`)]
  const send = viaOther(worker)
  await send(`/v2/${ep}/ping/${worker.id}?gpu=x&job_id=${String(json['id'])}`)
  await one.store.workers.patch({
    endpointId: ep,
    workerId: worker.id,
    fields: { drainingSince: Date.now(), retireReason: 'idle_timeout' },
  })
  await send(`/v2/${ep}/job-done/${worker.id}/${String(json['id'])}`, { method: 'POST', body: { output: 1 } })
  expect(await Promise.race([Promise.all(held), sleep(10_000, 'still held', { ref: false })])).toEqual([
    undefined,
    expect.objectContaining({ status: 204 }),
  ])
})

it('a changed endpoint is seen by every gateway', async () => {
  const { id: ep } = await one.addEndpoint()
  expect((await other.call(`/v2/${ep}/health`)).status).toBe(200)
  await one.store.endpoints.delete(ep)
  await expect.poll(async () => (await other.call(`/v2/${ep}/health`)).status).toBe(404)
})

it('a gateway that hears nothing any more, without a word from the network, still gives its worker the next job', async () => {
  await using line = await openLine(start.redis().port)
  await using deaf = await startGateway(line.url, {}, { prefix: 'shared', signalCheckMs: 200, answerMs: 3000 })
  const { id: ep } = await deaf.addEndpoint()
  const worker = await deaf.addWorker(ep)
  const held = worker.take()
  await expect.poll(async () => (await one.store.workers.get(ep, worker.id))?.readyAt).toBeDefined()
  // On a slow machine the subscription may just be under way again.
  await expect.poll(() => line.freeze('subscriptions')).toBe(1)
  const { json } = await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect((await held)?.id).toBe(json['id'])
})

it('closing a gateway answers what it holds', async () => {
  const third = await start({}, { prefix: 'shared' })
  const { id: ep } = await third.addEndpoint()
  const worker = await third.addWorker(ep)
  const held = worker.send(`/v2/${ep}/job-stop/${worker.id}?gpu=x`)
  const caller = third.call(`/v2/${ep}/runsync`, { method: 'POST', body: { input: 1 } })
  expect((await worker.take())?.input).toBe(1)
  await third[Symbol.asyncDispose]()
  expect((await held).status).toBe(204)
  expect((await caller).json['status']).toBe('IN_PROGRESS')
})
