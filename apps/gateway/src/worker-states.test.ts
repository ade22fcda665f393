// The six states of a worker where clients and operators read them: /health, REST v2, metrics, the ledger.
import { expect, test } from 'vitest'
import type { TestGateway } from './testing/gateway.ts'
import { useGateway } from './testing/use-gateway.ts'

let gateway: TestGateway
useGateway({}, (site) => {
  gateway = site.gateway
})

test('each state has the same number in /health, REST v2 and the metrics', async () => {
  const { id } = await gateway.addEndpoint()
  const { workers, status } = gateway.store
  await gateway.addWorker(id)
  const warm = await gateway.addWorker(id, { readyAt: 1 })
  const old = await gateway.addWorker(id, { readyAt: 1 })
  await old.startJob()
  await workers.patch({ endpointId: id, workerId: old.id, fields: { outdatedSince: 1, drainingSince: 1, retireReason: 'outdated' } })
  await gateway.addWorker(id, { readyAt: 1, unhealthyReason: 'no CUDA' })
  await status.put(id, { at: Date.now(), throttled: 2, unhealthy: 1, mayStart: 3, reason: 'gpus_busy', message: 'full' })

  const states = { initializing: 1, idle: 3, running: 1, throttled: 2, outdated: 1, unhealthy: 2 }
  const health = (await gateway.call(`/v2/${id}/health`)).json
  expect(health).toMatchObject({ states, workers: { initializing: 1, idle: 1, ready: 1, running: 1, throttled: 2, unhealthy: 2 } })

  const list = await gateway.read<{ workers: { id: string; status: string }[] }>(`/v2/serverless/${id}/workers`)
  const statuses = list.workers.map((worker) => worker.status).toSorted()
  expect(statuses).toEqual(['IDLE', 'INITIALIZING', 'RUNNING', 'THROTTLED', 'THROTTLED', 'UNHEALTHY', 'UNHEALTHY'])
  expect(list.workers.find((worker) => worker.id === warm.id)?.status).toBe('IDLE')

  const metrics = (await gateway.call('/metrics')).text
  for (const [state, count] of Object.entries(states)) {
    expect(metrics).toMatch(new RegExp(`runyard_worker_states\\{[^}]*endpoint_id="${id}",state="${state}"\\} ${count}`, 'u'))
  }
})

test('a worker that reports itself unfit is unhealthy in the ledger, which is not billed', async () => {
  const { id } = await gateway.addEndpoint()
  const worker = await gateway.addWorker(id)
  await worker.ping()
  await expect.poll(() => gateway.store.ledger.currentState(worker.id)).toBe('running')
  await worker.ping([], '&status=unhealthy&check=_cuda&reason=gone')
  await expect.poll(() => gateway.store.ledger.currentState(worker.id)).toBe('unhealthy')
})
