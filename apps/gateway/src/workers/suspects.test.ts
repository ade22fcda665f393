// A loss that several jobs share, as workers see it (ADR 34): SDK workers with several polls at once, at two gateways.
import { toJson } from '@runyard/schema'
import { createSend, type Send } from '@runyard/testing'
import { beforeAll, expect, test } from 'vitest'
import { createJobId } from '../jobs/read-submission.ts'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const startGateway = useGateways()
let gateways: readonly [TestGateway, TestGateway]
beforeAll(async () => {
  const prefix = `suspects-${Date.now()}`
  gateways = [await startGateway({}, { prefix }), await startGateway({}, { prefix })]
})
const EVIDENCE = 'worker w was lost: the worker’s process ended, and Runyard had not stopped it (exit code 137, ended by SIGKILL)'

/** The same worker at the other gateway. */
const elsewhere = ({ token }: TestWorker): Send => createSend(gateways[1].workerPlaneUrl, { authorization: token })

async function takeBatch(worker: TestWorker, endpointId: string, send: Send = worker.send): Promise<readonly string[]> {
  const answer = await send(`/v2/${endpointId}/job-take-batch/${worker.id}?gpu=none&batch_size=4`)
  if (answer.status === 204) return []
  return answer.as<readonly { id: string }[]>().map(({ id }) => id)
}

test('the jobs of a lost worker run alone on the next ones, through any gateway, and all but the guilty one complete', async () => {
  const [one] = gateways
  const { id: endpointId } = await one.addEndpoint()
  const submit = async (input: unknown): Promise<string> =>
    String((await one.call(`/v2/${endpointId}/run`, { method: 'POST', body: { input } })).json['id'])
  const ids = await Promise.all(['a', 'b', 'poison', 'c'].map(submit))
  const lost = await one.addWorker(endpointId)
  expect((await takeBatch(lost, endpointId)).toSorted()).toEqual(ids.toSorted())
  const poison = ids[2] ?? ''
  const lose = (workerId: string, jobId: string) =>
    one.store.jobs.takeBack({ endpointId, jobId, workerId }, { budget: 2, evidence: EVIDENCE, withAll: true })
  for (const id of ids) expect(await lose(lost.id, id)).toBe('requeued')

  for (let left = ids.length + 1; left > 0; left -= 1) {
    const worker = await one.addWorker(endpointId)
    // Both polls wait for news; one of them gets a suspect, the other nothing beside it.
    const [here, there] = [takeBatch(worker, endpointId), takeBatch(worker, endpointId, elsewhere(worker))]
    const taken = await Promise.race([here, there])
    expect(taken).toHaveLength(1)
    const jobId = taken[0] ?? ''
    // It shall have no other one afterwards.
    await one.store.workers.patch({ endpointId, workerId: worker.id, fields: { drainingSince: Date.now(), retireReason: 'idle_timeout' } })
    if (jobId === poison) await lose(worker.id, poison)
    else await worker.done(jobId, { output: jobId })
    expect([...(await here), ...(await there)]).toEqual([jobId])
  }
  const ends = await Promise.all(ids.map(async (id) => (await one.call(`/v2/${endpointId}/status/${id}`)).json))
  expect(ends.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'FAILED', 'COMPLETED'])
  expect(ends[2]?.['error']).toBe(`job timed out after 2 retries: worker lost 3 times: ${EVIDENCE}`)
}, 120_000)

test('a parked poll that may not have a suspect leaves it to another, and gets it once its worker is free', async () => {
  const [one] = gateways
  const { id: endpointId } = await one.addEndpoint()
  const { jobs } = one.store
  const submit = (id: string) => jobs.submit(endpointId, { id, input: toJson(1), sync: false, policy: {}, keyId: 'k' })
  const [long, a, b] = [createJobId(false), createJobId(false), createJobId(false)]
  const busy = await one.addWorker(endpointId)
  await submit(long)
  expect((await busy.take())?.id).toBe(long)
  for (const id of [a, b]) {
    await submit(id)
    await jobs.take(endpointId, 'gone')
  }
  const parked = busy.take()
  await expect.poll(() => one.parkedTakes(busy.id)).toBe(1)
  for (const jobId of [a, b]) await jobs.takeBack({ endpointId, jobId, workerId: 'gone' }, { budget: 2, evidence: 'x', withAll: true })
  const free = await one.addWorker(endpointId)
  // Jobs of the same millisecond have no order.
  const taken = (await free.take())?.id
  expect([a, b]).toContain(taken)
  expect(one.parkedTakes(busy.id)).toBe(1)
  await busy.done(long, { output: 1 })
  expect((await parked)?.id).toBe(taken === a ? b : a)
})
