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

const admitted = (): number => gateway.apps.workerPlane.admitted.count

it('answers a large result at once where the job is not leased to the worker, without reading it', async () => {
  const id = await worker.startJob()
  const other = await gateway.addWorker(ep)
  vi.spyOn(gateway.log, 'info')
  const before = admitted()
  expect((await other.done(id, { output: LARGE })).json).toEqual({ ok: true })
  expect((await other.done('none-1', { output: LARGE })).json).toEqual({ ok: true })
  expect(admitted()).toBe(before)
  expect(gateway.log.info).toHaveBeenCalledWith(expect.objectContaining({ reason: 'attempt_superseded', jobId: id }), 'result ignored')
  expect(gateway.log.info).toHaveBeenCalledWith(expect.objectContaining({ reason: 'job_unknown', jobId: 'none-1' }), 'result ignored')
  expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'IN_PROGRESS' })
  expect((await worker.done(id, { output: LARGE })).json).toEqual({ ok: true })
  expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: LARGE })
})

it('lets a worker without a record end the jobs that it still holds, and no others', async () => {
  const gone = await gateway.addWorker(ep)
  const id = await gone.startJob()
  const other = await worker.startJob()
  await gateway.store.workers.remove(ep, gone.id, undefined)
  await vi.waitFor(async () => expect(await gateway.store.workers.get(ep, gone.id)).toBeUndefined())
  await expect
    .poll(async () => {
      const before = admitted()
      await gone.done(other, { output: 'forged' })
      return admitted() - before
    })
    .toBe(0)
  expect(await gateway.statusOf(ep, other)).toMatchObject({ status: 'IN_PROGRESS' })
  await gone.done(id, { output: 'late' })
  expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 'late' })
  await worker.done(other, { output: 'own' })
})

it('lets a worker that has posted more than its share wait, and no other one', async () => {
  const greedy = await gateway.addWorker(ep)
  const id = await greedy.startJob()
  const mine = await worker.startJob()
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
  const id = await greedy.startJob()
  const mine = await worker.startJob()
  await greedy.done('none-1', { output: LARGE })
  const order: string[] = []
  const chunk = { method: 'POST', body: { output: 1 } }
  const late = greedy.send(`/v2/${ep}/job-stream/${greedy.id}/${id}`, chunk).then(() => order.push('greedy'))
  await worker.done(mine, { output: 1 }).then(() => order.push('worker'))
  await late
  expect(order).toEqual(['worker', 'greedy'])
})
