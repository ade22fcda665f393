// Data written by an earlier version opens, and its jobs run (ADR 45).
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { restoreVersion0 } from '../harness/old-data.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const ENDPOINT = 'xeg3rr4y3elrpj'
const ENDED = '095de6a9-b353-4485-904f-d0dc2bec7a1c-u1'
const BATCH = 'batch_08f28eee-97eb-4718-8b0a-ddd06c9413a2-u1'
/** Pickled 42 and pickled 2,000,000. */
const [FORTY_TWO, TWO_MILLION] = ['gAVLKi4=', 'gAWVBgAAAAAAAABKgIQeAC4=']
const QUEUED = {
  '45886c19-ce8f-47e9-b9ec-f92d30afd998-u1': FORTY_TWO,
  'd972e431-e631-4c54-851e-f862811730c8-u1': FORTY_TWO,
  '804da75c-71a2-4e44-926a-2ce7bf912f14-u1': FORTY_TWO,
  '54b0d6c4-92ae-4cf0-8180-35b82629ab73-u1': TWO_MILLION,
}

await suiteThatNeeds(['redis'], 'data of version 0', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA GeForce RTX 4090:1', prepare: restoreVersion0 })
  })
  afterAll(() => stack?.stop())

  test('opens with its endpoints, templates, results and ledger, and gets its version number', async () => {
    expect(await stack.api.endpoints()).toMatchObject([{ id: ENDPOINT, name: 'live-plain' }])
    expect((await stack.api.get('/v2/templates')).json).toMatchObject({ templates: [{ name: 'tpl' }] })
    expect(await stack.api.status(ENDPOINT, ENDED)).toMatchObject({ status: 'COMPLETED', output: { success: true } })
    const { json } = await stack.api.get('/runyard/v1/usage?from=2026-11-01T00:00:00Z')
    expect(json['usage']).toMatchObject([
      { state: 'initializing', seconds: 2 },
      { state: 'running', seconds: 44 },
    ])
    const client = new Redis(stack.redis.url)
    const version = await client.get('runyard:{@}:data-version')
    client.disconnect()
    expect(version).toBe('3')
  })

  test('runs its waiting jobs and its batch with their inputs, and honours its idempotency key', async () => {
    for (const id of Object.keys(QUEUED)) expect(await stack.api.status(ENDPOINT, id)).toMatchObject({ status: 'IN_QUEUE' })
    const again = await stack.api.request(`/v2/${ENDPOINT}/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
      body: '{"input":{"function_name":"f","function_code":"def f(x):\\n    return x * 2","args":["gARLFS4="],"kwargs":{}}}',
    })
    expect(again.json).toMatchObject({ id: '804da75c-71a2-4e44-926a-2ce7bf912f14-u1' })
    expect((await stack.api.request(`/v1/endpoints/${ENDPOINT}`, changeTo({ workersMax: 1 }))).status).toBe(200)
    for (const [id, result] of Object.entries(QUEUED)) {
      expect(await stack.api.settled(ENDPOINT, id)).toMatchObject({ status: 'COMPLETED', output: { result } })
    }
    await waitFor('the batch to complete', async () => {
      const { json } = await stack.api.get(`/v2/${ENDPOINT}/batch/${BATCH}`)
      return json['requestCompleted'] === 4
    })
    expect((await stack.api.health(ENDPOINT)).jobs).toMatchObject({ completed: 12, failed: 0, inQueue: 0, inProgress: 0 })
  })
})

function changeTo(body: Record<string, unknown>) {
  return { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
