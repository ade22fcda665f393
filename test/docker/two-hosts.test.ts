// A pool of two hosts on real engines, one reached by ssh and one by TLS: both run jobs, and nothing stays behind.
import type { WorkerRecord } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WORKER_IMAGE } from '../harness/machine.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startTwoHosts, type SeparateHost, type TwoHosts } from '../harness/two-hosts.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

const PATIENCE = { timeoutMs: 120_000, intervalMs: 100 }
const GRACE_S = 15
const GATE = '/tmp/gate'

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'two-hosts'], 'a pool of two hosts, by ssh and by TLS', () => {
  let hosts: TwoHosts
  let stack: Stack
  let store: Store
  let both: readonly SeparateHost[]

  beforeAll(async () => {
    hosts = await startTwoHosts(WORKER_IMAGE)
    both = [hosts.bySsh, hosts.byTls]
    const quick = { RUNYARD_HOST_GRACE_S: `${GRACE_S}`, RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LEASE_DURATION_S: '10' }
    stack = await startStack({ host: 'process', settings: { ...hosts.settings, ...quick, RUNYARD_LOG_LEVEL: 'info' } })
    store = await openStore({ redisUrl: stack.redis.url, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 } })
    for (const host of both) {
      const hostId = await host.hostId()
      await waitFor(`${host.name} to be ready`, async () => (await sightOf(hostId))?.health === 'ready', PATIENCE)
    }
  }, 400_000)
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await stack?.stop()
    await hosts?.stop()
  }, 200_000)
  /** Whatever a test has left: no endpoint, and then no worker. */
  afterEach(async () => {
    for (const { id } of await stack.api.endpoints()) await stack.api.deleteEndpoint(id)
    for (const host of both) {
      await waitFor(`${host.name} to be empty`, async () => (await host.workers()).length === 0, PATIENCE)
    }
  }, 200_000)

  const sightOf = async (hostId: string) => (await store.hosts.list()).find((record) => record.hostId === hostId)?.sight
  const workers = (endpoint: string): Promise<readonly WorkerRecord[]> => store.workers.list(endpoint)
  const newEndpoint = (name: string, workersMax: number, image?: string) =>
    stack.api.saveEndpoint({ name, workersMax, idleTimeout: 600, ...(image === undefined ? {} : { image }) })
  const held = (endpoint: string, value: unknown) => stack.api.run(endpoint, sourceCall('until', UNTIL, { path: GATE, value }))
  const settled = (endpoint: string, id: string) => stack.api.settled(endpoint, id, PATIENCE.timeoutMs)

  /** Where the job runs now. */
  async function running(endpoint: string, id: string, not?: string): Promise<{ worker: string; host: SeparateHost }> {
    return waitFor(
      `job ${id} to run`,
      async () => {
        const job = await stack.api.status(endpoint, id)
        const worker = job['workerId']
        if (job.status !== 'IN_PROGRESS' || typeof worker !== 'string' || worker === not) return undefined
        const record = (await workers(endpoint)).find((candidate) => candidate.id === worker)
        for (const host of both) if ((await host.hostId()) === record?.hostId) return { worker, host }
        return undefined
      },
      PATIENCE,
    )
  }

  async function openGate({ worker, host }: { readonly worker: string; readonly host: SeparateHost }): Promise<void> {
    const name = (await host.workers()).find((line) => line.includes(worker))?.split(' ')[0] ?? ''
    await host.docker('exec', name, 'touch', GATE)
  }

  test('runs jobs on both', async () => {
    const endpoint = await newEndpoint('both', 2)
    const ids = [await held(endpoint, 0), await held(endpoint, 1)]
    const places = await Promise.all(ids.map((id) => running(endpoint, id)))
    expect(new Set(places.map(({ host }) => host))).toEqual(new Set(both))
    for (const place of places) await openGate(place)
    expect(await Promise.all(ids.map(async (id) => valueOf((await settled(endpoint, id))['output'])['value']))).toEqual([0, 1])
  })
})
