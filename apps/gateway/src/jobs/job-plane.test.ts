import { startRedis, type TestRedis } from '@runyard/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type TestGateway } from '../gateway-fixture.ts'

let redis: TestRedis
let gateway: TestGateway

beforeAll(async () => {
  redis = await startRedis()
  gateway = await startGateway(redis.url)
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await redis.stop()
})

describe('the job plane', () => {
  it('takes a job from /runsync to a worker and its result back', async () => {
    const { id } = await gateway.addEndpoint()
    const worker = await gateway.addWorker(id)
    const taken = worker.take()
    const answer = gateway.call(`/v2/${id}/runsync`, { method: 'POST', body: { input: { x: 1 } } })
    const job = await taken
    expect(job?.input).toEqual({ x: 1 })
    expect((await worker.done(job?.id ?? '', { output: { y: 2 } })).status).toBe(200)
    const { status, json } = await answer
    expect(status).toBe(200)
    expect(json).toMatchObject({ id: job?.id, status: 'COMPLETED', output: { y: 2 }, workerId: worker.id })
    expect(json['id']).toMatch(/^sync-[0-9a-f-]{36}-u1$/)
    expect(Object.keys(json).toSorted()).toEqual(['delayTime', 'executionTime', 'id', 'output', 'status', 'workerId'])
  })
})
