// The next job with a result's answer (ADR 28), against real sockets and a real Redis: who gets one, who does not, and what becomes of it where
// the answer is lost.
import type { Answer } from '@runyard/testing'
import { connect } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ lease: { durationS: 30, budget: 2 } }, (site) => {
  ;({ gateway, ep, worker } = site)
})
afterEach(() => {
  vi.restoreAllMocks()
})

const PATIENCE = { timeout: 15_000 }
const NEXT = { 'x-runyard-next': '1' }
const NONE = { ok: true }

const doneWithNext = (jobId: string, by = worker, body: unknown = { output: 1 }): Promise<Answer> => by.done(jobId, body, NEXT)

describe('a result that asks for the next job', () => {
  it('is answered with it in the order of the queue, as a poll would be, until none waits', async () => {
    const first = await worker.startJob()
    const low = await gateway.submit(ep, 'low', { policy: { lowPriority: true } })
    const second = await gateway.submit(ep, { deep: [1] })
    expect((await doneWithNext(first)).json).toEqual({ id: second, input: { deep: [1] } })
    expect(await gateway.statusOf(ep, second)).toMatchObject({ status: 'IN_PROGRESS', workerId: worker.id })
    expect((await doneWithNext(second)).json).toEqual({ id: low, input: 'low' })
    expect((await doneWithNext(low)).json).toEqual(NONE)
    for (const id of [first, second, low]) expect(await gateway.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 1 })
  })

  it('leaves the queue alone without that request, which no SDK makes', async () => {
    const [first, second] = [await worker.startJob(), await gateway.submit(ep)]
    expect((await worker.done(first, { output: 1 })).json).toEqual(NONE)
    expect((await gateway.statusOf(ep, second))['status']).toBe('IN_QUEUE')
  })

  it('brings none to a worker that drains, is outdated, unhealthy or to be replaced', async () => {
    for (const change of [{ drainingSince: 1 }, { outdatedSince: 1 }, { unhealthyReason: 'x' }, { refreshRequested: true }]) {
      const leaving = await gateway.addWorker(ep)
      const held = await leaving.startJob()
      const waiting = await gateway.submit(ep)
      await gateway.store.workers.patch({ endpointId: ep, workerId: leaving.id, fields: change })
      expect((await doneWithNext(held, leaving)).json).toEqual(NONE)
      expect((await worker.take())?.id).toBe(waiting)
      expect((await gateway.statusOf(ep, waiting))['retries']).toBeUndefined()
    }
  })

  it('brings none to a worker whose result asks for a fresh one', async () => {
    const [held, waiting] = [await worker.startJob(), await gateway.submit(ep)]
    expect((await doneWithNext(held, worker, { output: 1, stopPod: true })).json).toEqual(NONE)
    expect((await (await gateway.addWorker(ep)).take())?.id).toBe(waiting)
  })

  it('brings none with what ends no job: progress, a second result, one that comes too late', async () => {
    const [first, second] = [await worker.startJob(), await worker.startJob()]
    const waiting = await gateway.submit(ep)
    const take = vi.spyOn(gateway.store.jobs, 'take')
    expect((await doneWithNext(first, worker, { status: 'IN_PROGRESS', output: 1 })).json).toEqual(NONE)
    await gateway.call(`/v2/${ep}/cancel/${first}`, { method: 'POST' })
    expect((await doneWithNext(first)).json).toEqual(NONE)
    await worker.done(second, { output: 1 })
    expect((await doneWithNext(second)).json).toEqual(NONE)
    expect(take).not.toHaveBeenCalled()
    expect((await gateway.statusOf(ep, waiting))['status']).toBe('IN_QUEUE')
  })

  it('is answered like any other where it could not be kept, and the job that came meanwhile goes back', async () => {
    const [held, waiting] = [await worker.startJob(), await gateway.submit(ep)]
    const settle = vi.spyOn(gateway.store.jobs, 'settle').mockImplementationOnce(async (_result, sent) => {
      sent?.()
      throw new Error('lost')
    })
    expect((await doneWithNext(held)).status).toBe(500)
    expect(settle).toHaveBeenCalledOnce()
    expect((await (await gateway.addWorker(ep)).take())?.id).toBe(waiting)
    expect((await doneWithNext(held)).json).toEqual(NONE)
    expect(await gateway.statusOf(ep, held)).toMatchObject({ status: 'COMPLETED', output: 1 })
    expect((await gateway.statusOf(ep, waiting))['retries']).toBeUndefined()
  })

  it('of a job that ended elsewhere, unknown to this gateway, brings none: what was taken goes back', async () => {
    const [held, waiting] = [await worker.startJob(), await gateway.submit(ep)]
    vi.spyOn(gateway.store.jobs, 'settle').mockImplementationOnce(async (_result, sent) => {
      sent?.()
      return 'already_settled'
    })
    expect((await doneWithNext(held)).json).toEqual(NONE)
    expect((await (await gateway.addWorker(ep)).take())?.id).toBe(waiting)
    expect((await gateway.statusOf(ep, waiting))['retries']).toBeUndefined()
  })

  it('is accepted, too, where the look for the next job fails', async () => {
    const [held, waiting] = [await worker.startJob(), await gateway.submit(ep)]
    vi.spyOn(gateway.store.jobs, 'take').mockRejectedValueOnce(new Error('away'))
    expect((await doneWithNext(held)).json).toEqual(NONE)
    expect((await gateway.statusOf(ep, held))['status']).toBe('COMPLETED')
    expect((await worker.take())?.id).toBe(waiting)
  })
})

describe('the job that came with it', () => {
  it('goes back at once, uncounted, where the connection broke before the answer was written', async () => {
    const [held, waiting] = [await worker.startJob(), await gateway.submit(ep)]
    const { hostname, port } = new URL(gateway.workerPlaneUrl)
    const socket = connect({ host: hostname, port: Number(port) })
    const take = gateway.store.jobs.take.bind(gateway.store.jobs)
    const noticed = Promise.withResolvers<void>()
    gateway.apps.workerPlane.server.once('request', (_request, response) => response.once('close', noticed.resolve))
    vi.spyOn(gateway.store.jobs, 'take').mockImplementationOnce(async (...who) => {
      const job = await take(...who)
      socket.destroy()
      await noticed.promise
      return job
    })
    const head = [`POST /v2/${ep}/job-done/${worker.id}/${held} HTTP/1.1`, 'host: x', `authorization: ${worker.token}`, 'x-runyard-next: 1']
    socket.write(`${[...head, 'content-length: 12'].join('\r\n')}\r\n\r\n{"output":1}`)
    await noticed.promise
    expect((await (await gateway.addWorker(ep)).take())?.id).toBe(waiting)
    expect(await gateway.statusOf(ep, held)).toMatchObject({ status: 'COMPLETED', output: 1 })
    expect((await gateway.statusOf(ep, waiting))['retries']).toBeUndefined()
  })

  // As after a lost take: the gateway that leased it died in mid-answer, or the network took the answer.
  it('is missed by pings where its worker never heard of it, and runs elsewhere; the result was kept once', async () => {
    const [held, lost] = [await worker.startJob(), await gateway.submit(ep)]
    expect((await doneWithNext(held)).json['id']).toBe(lost)
    expect((await worker.done(held, { output: 2 })).json).toEqual(NONE)
    const pingUntilBack = async () => {
      await worker.ping()
      return (await gateway.store.jobs.get(ep, lost))?.status
    }
    await expect.poll(pingUntilBack, PATIENCE).toBe('IN_QUEUE')
    expect(await gateway.store.workers.get(ep, worker.id)).toMatchObject({ refreshRequested: true })
    const other = await gateway.addWorker(ep)
    expect((await other.take())?.id).toBe(lost)
    await other.done(lost, { output: 3 })
    expect(await gateway.statusOf(ep, lost)).toMatchObject({ status: 'COMPLETED', output: 3, retries: 1 })
    expect(await gateway.statusOf(ep, held)).toMatchObject({ status: 'COMPLETED', output: 1 })
  })

  it('is stopped like any other where it is cancelled before its worker begins', async () => {
    const [held, cancelled] = [await worker.startJob(), await gateway.submit(ep)]
    expect((await doneWithNext(held)).json['id']).toBe(cancelled)
    await gateway.call(`/v2/${ep}/cancel/${cancelled}`, { method: 'POST' })
    expect((await worker.send(`/v2/${ep}/job-stop/${worker.id}?gpu=x`)).json).toEqual({ jobsToStop: [cancelled] })
    expect((await doneWithNext(cancelled)).json).toEqual(NONE)
    expect((await gateway.statusOf(ep, cancelled))['status']).toBe('CANCELLED')
  })
})
