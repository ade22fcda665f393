// The page of a pool in which everything has happened once: each metric of the table is on it, with a value.
import { METRICS } from '@runyard/core'
import type { HostSight } from '@runyard/schema'
import { expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
useGateway({ prices: { cpuWorkerPerHour: 1 }, webhooks: { allowPrivate: true, retryDelaysS: [] } }, (site) => {
  ;({ gateway, ep } = site)
})

/** The scaler's report, which its own tests cover; and the memory limit, which the Redis of the tests has not. */
const ELSEWHERE =
  /^runyard_(scaler_.*|worker_(starts|ends|start_failures)_total|workers_lost_total|host_(listing|disk_free|disk_total)_.*|image_.*|gpu_(memory_used_bytes|utilization.*|temperature.*|power.*|ecc.*|xid.*)|store_max_bytes|certificate_.*)$/

const card = (uuid: string) => ({ uuid, name: 'NVIDIA L4', memoryBytes: 24e9, simulated: false, healthy: true })

function sight(at: number): HostSight {
  return {
    health: 'ready',
    label: 'box',
    kind: 'docker',
    at,
    claims: {},
    inventory: {
      hostId: `h-${ep}`,
      kind: 'docker',
      capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
      cpuCount: 8,
      memoryBytes: 64e9,
      gpus: [card(`GPU-a-${ep}`), card(`GPU-b-${ep}`)],
      cudaVersion: '12.8',
    },
  }
}

const samples = async (query = ''): Promise<readonly string[]> =>
  (await gateway.call(`/metrics${query}`)).text.split('\n').filter((line) => line.startsWith('runyard_'))

async function live(): Promise<void> {
  const { store } = gateway
  await store.hosts.putSight(`h-${ep}`, sight(Date.now()))
  await store.cards.putClaim(
    { uuid: `GPU-b-${ep}`, claimText: '' },
    { kind: 'quarantined', since: 1, quarantines: [1], cause: 'reset', message: 'needs a reset' },
  )
  const gpus = [{ uuid: `GPU-a-${ep}`, name: 'NVIDIA L4', simulated: false }]
  const worker = await gateway.addWorker(ep, { hostId: `h-${ep}`, gpus })
  const { id: gone } = await gateway.addEndpoint()
  for (const [endpointId, workerId] of [
    [ep, worker.id],
    [gone, 'gone'],
  ] as const) {
    await store.ledger.transition({
      workerId: `${workerId}-${ep}`,
      endpointId,
      gpuType: 'NVIDIA L4',
      gpuCount: 1,
      state: 'running',
      at: 1000,
    })
    await store.ledger.close(`${workerId}-${ep}`, 2000)
  }
  await store.endpoints.delete(gone)
  await store.status.put(ep, { at: Date.now(), throttled: 1, unhealthy: 0, reason: 'gpus_busy', message: 'all are in use' })
  await worker.done(await worker.startJob(1, { webhook: 'http://127.0.0.1:2/' }), { output: 1 })
  await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 'x'.repeat(30 * 2 ** 20) } })
  await expect.poll(() => samples()).toContainEqual(expect.stringMatching(/^runyard_webhook_attempt_seconds_count \d/))
}

it('each metric of the table is on the page, and the page has no other', async () => {
  await live()
  const names = new Set((await gateway.call('/metrics')).text.match(/(?<=^# TYPE )runyard_\S+/gm))
  const missing = Object.keys(METRICS).filter((name) => !names.has(name) && !ELSEWHERE.test(name))
  expect(missing).toEqual([])
  expect([...names].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([])
})

it('a card is joined with the worker and the endpoint that hold it, and a card out of use names its fault', async () => {
  await live()
  const lines = await samples('?scope=pool')
  expect(lines).toContainEqual(
    expect.stringMatching(
      new RegExp(
        `^runyard_gpu_assigned\\{host="box",gpu="0",uuid="GPU-a-${ep}",endpoint="${ep}",endpoint_id="${ep}",worker="w[^"]+"\\} 1$`,
        'u',
      ),
    ),
  )
  expect(lines).toContain(`runyard_gpu_out_of_use{host="box",gpu="1",uuid="GPU-b-${ep}",cause="reset"} 1`)
  expect(lines).toContain(`runyard_queue_blocked{endpoint="${ep}",endpoint_id="${ep}",reason="gpus_busy"} 1`)
})

it('the series of a deleted endpoint and of a host that is gone are dropped', async () => {
  await live()
  await gateway.store.endpoints.delete(ep)
  const hosts = await gateway.store.hosts.list()
  await Promise.all(hosts.map(({ hostId }) => gateway.store.hosts.putSight(hostId, sight(Date.now() - 3_600_000))))
  const lines = await samples()
  expect(lines.filter((line) => line.includes(`endpoint_id="${ep}"`))).toEqual([])
  expect(lines.filter((line) => line.includes('host="box"'))).toEqual([])
})

it('the page is compressed for a client that asks for it', async () => {
  const answer = await fetch(`${gateway.publicUrl}/metrics`, { headers: { 'accept-encoding': 'gzip' } })
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  expect(await answer.text()).toContain('runyard_store_up 1')
})
