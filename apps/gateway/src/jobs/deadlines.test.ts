// A deadline is kept when it passes: no scaler runs here, so nothing sweeps.
import { toJson } from '@runyard/schema'
import { expect, it } from 'vitest'
import { createJobId } from './read-submission.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
useGateway({}, (site) => {
  ;({ gateway, ep } = site)
})

const submit = (id: string, ttlMs: number) =>
  gateway.store.jobs.submit(ep, { id, input: toJson(1), sync: false, policy: { ttlMs }, keyId: 'k' })

it.each(['status-sync', 'stream'])('a request that waits for a job is answered when its ttl is over: %s', async (route) => {
  const id = createJobId(false)
  await submit(id, 700)
  const answers = [gateway.call(`/v2/${ep}/${route}/${id}?wait=60000`)]
  expect((await gateway.call(`/v2/${ep}/health`)).json).toMatchObject({ jobs: { inQueue: 1 } })
  for (const { status, json } of await Promise.all(answers)) {
    expect([status, json['error']]).toEqual([404, expect.stringContaining(`job not found: ${id} was deleted by its ttl at `)])
  }
  expect((await gateway.call(`/v2/${ep}/health`)).json).toMatchObject({ jobs: { inQueue: 0 } })
  expect((await gateway.call(`/v2/${ep}/requests`)).json).toMatchObject({ requests: [], total: 0 })
})

it('a /runsync whose job is ended by its ttl says so', { timeout: 60_000 }, async () => {
  const { status, json } = await gateway.call(`/v2/${ep}/runsync?wait=50000`, {
    method: 'POST',
    body: { input: 1, policy: { ttl: 10_000 } },
  })
  expect([status, json['error']]).toEqual([404, expect.stringContaining('was deleted by its ttl')])
})
