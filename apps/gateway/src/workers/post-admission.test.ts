// Whose post is read, and when: a worker that does not hold the job, one that is gone, one that posts more than its share.
import { afterEach, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

const RESULT_BYTES = 600_000
const LARGE = 'x'.repeat(500_000)

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ limits: { resultBytes: RESULT_BYTES, workerBytesPerS: 400_000 } }, (site) => {
  ;({ gateway, ep, worker } = site)
})
afterEach(() => {
  vi.restoreAllMocks()
})

async function runningJob(by = worker): Promise<string> {
  const { json } = await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect((await by.take())?.id).toBe(json['id'])
  return String(json['id'])
}

const admitted = (): number => gateway.apps.workerPlane.admitted.count
const statusOf = async (id: string) => (await gateway.call(`/v2/${ep}/status/${id}`)).json

it('answers a large result at once where the job is not leased to the worker, without reading it', async () => {
  const id = await runningJob()
  const other = await gateway.addWorker(ep)
  vi.spyOn(gateway.log, 'info')
  const before = admitted()
  expect((await other.done(id, { output: LARGE })).json).toEqual({ ok: true })
  expect((await other.done('none-1', { output: LARGE })).json).toEqual({ ok: true })
  expect(admitted()).toBe(before)
  expect(gateway.log.info).toHaveBeenCalledWith(expect.objectContaining({ reason: 'attempt_superseded', jobId: id }), 'result ignored')
  expect(gateway.log.info).toHaveBeenCalledWith(expect.objectContaining({ reason: 'job_unknown', jobId: 'none-1' }), 'result ignored')
  expect(await statusOf(id)).toMatchObject({ status: 'IN_PROGRESS' })
  expect((await worker.done(id, { output: LARGE })).json).toEqual({ ok: true })
  expect(await statusOf(id)).toMatchObject({ status: 'COMPLETED', output: LARGE })
})

it('lets a worker without a record end the jobs that it still holds, and no others', async () => {
  const gone = await gateway.addWorker(ep)
  const id = await runningJob(gone)
  const other = await runningJob()
  await gateway.store.workers.remove(ep, gone.id, undefined)
  await vi.waitFor(async () => expect(await gateway.store.workers.get(ep, gone.id)).toBeUndefined())
  await expect
    .poll(async () => {
      const before = admitted()
      await gone.done(other, { output: 'forged' })
      return admitted() - before
    })
    .toBe(0)
  expect(await statusOf(other)).toMatchObject({ status: 'IN_PROGRESS' })
  await gone.done(id, { output: 'late' })
  expect(await statusOf(id)).toMatchObject({ status: 'COMPLETED', output: 'late' })
  await worker.done(other, { output: 'own' })
})

it('lets a worker that has posted more than its share wait, and no other one', async () => {
  const greedy = await gateway.addWorker(ep)
  const id = await runningJob(greedy)
  const mine = await runningJob()
  const post = (path: string, by: TestWorker) => by.send(path, { method: 'POST', body: { output: LARGE } })
  const chunk = `/v2/${ep}/job-stream/${greedy.id}/${id}`
  await post(chunk, greedy)
  await post(chunk, greedy)
  const order: string[] = []
  const late = post(chunk, greedy).then(() => order.push('greedy'))
  await worker.done(mine, { output: 1 }).then(() => order.push('worker'))
  await late
  expect(order).toEqual(['worker', 'greedy'])
})

it('counts a large post that it throws away several times', async () => {
  const greedy = await gateway.addWorker(ep)
  const id = await runningJob(greedy)
  const mine = await runningJob()
  await greedy.done('none-1', { output: LARGE })
  const order: string[] = []
  const chunk = { method: 'POST', body: { output: 1 } }
  const late = greedy.send(`/v2/${ep}/job-stream/${greedy.id}/${id}`, chunk).then(() => order.push('greedy'))
  await worker.done(mine, { output: 1 }).then(() => order.push('worker'))
  await late
  expect(order).toEqual(['worker', 'greedy'])
})
