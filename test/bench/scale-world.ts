// A large pool for one scaler: simulated hosts full of workers, and endpoints with long queues in a real Redis. Half of the endpoints use GPUs, one
// worker per GPU, so that more of them wait than there are GPUs; the others share the rest of the workers.
import { openScaler, type Scaler } from '@runyard/scaler'
import { DEFAULT_PLAN_POLICY } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { Config, type HostDriver, type ObservedWorker } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import { startRedis, staticSource, type TestRedis } from '@runyard/testing'
import { endpointRecord, workerRecord } from '@runyard/testing/records'

export interface Size {
  readonly hosts: number
  readonly cardsPerHost: number
  readonly endpoints: number
  readonly workers: number
}

export interface World extends AsyncDisposable {
  readonly redis: TestRedis
  readonly store: Store
  readonly endpointIds: readonly string[]
  /** Not started: the caller advances it. */
  readonly scaler: Scaler
}

const GPU = 'NVIDIA GeForce RTX 4090'
const HOUR_MS = 3_600_000
const RETENTION = { asyncMs: HOUR_MS, syncMs: HOUR_MS }

export async function openWorld(size: Size): Promise<World> {
  const scope = new AsyncDisposableStack()
  const redis = scope.use(await startRedis())
  const store = scope.use(await openStore({ redisUrl: redis.url, leaseMs: HOUR_MS, retention: RETENTION }))
  const hosts = Array.from({ length: size.hosts }, (_, index) => createHost(`h${index}`, size.cardsPerHost))
  const endpointIds = Array.from({ length: size.endpoints }, (_, index) => `ep-${index}`)
  await Promise.all(endpointIds.map((id, index) => saveEndpoint(store, id, { isGpu: index % 2 === 0, size })))
  await Promise.all(Array.from({ length: size.workers }, (_, index) => placeWorker(store, index, { size, hosts })))
  const scaler = scope.use(
    await openScaler({
      store,
      source: staticSource(hosts),
      config: Config.parse({}),
      log: createLogger({ name: 'bench', level: 'silent' }),
      caBundle: undefined,
      authority: async () => undefined,
      policy: { ...DEFAULT_PLAN_POLICY, heartbeatLostMs: 1000 * HOUR_MS },
      planeUpSince: () => 0,
      facts: { machine: 'bench', pid: process.pid, dataDir: '/', since: 1, processTable: '', life: '' },
    }),
  )
  return { redis, store, endpointIds, scaler, [Symbol.asyncDispose]: () => scope.disposeAsync() }
}

async function saveEndpoint(store: Store, id: string, { isGpu, size }: { readonly isGpu: boolean; readonly size: Size }): Promise<void> {
  const shared = Math.ceil((size.workers - size.hosts * size.cardsPerHost) / (size.endpoints / 2))
  const hardware = isGpu
    ? { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] } }
    : { cpu: { instanceIds: ['cpu3c-2-4'] } }
  const settings = { workersMax: isGpu ? 4 : shared, idleTimeoutMs: HOUR_MS }
  await store.endpoints.upsert({ id }, () => endpointRecord(id, { spec: hardware, settings, specHash: 'hash' }))
}

interface FakeHost extends HostDriver {
  readonly observed: Map<string, ObservedWorker>
}

/** The first workers hold a GPU each. Their starts took an hour, so that all of them are in their turn (ADR 40). */
async function placeWorker(store: Store, index: number, { size, hosts }: { readonly size: Size; readonly hosts: readonly FakeHost[] }) {
  const cards = size.hosts * size.cardsPerHost
  const isGpu = index < cards
  const host = hosts[index % size.hosts]
  if (host === undefined) return
  const half = size.endpoints / 2
  const endpointId = isGpu ? `ep-${2 * (index % half)}` : `ep-${2 * (index % half) + 1}`
  const now = Date.now()
  const gpus = isGpu ? [{ uuid: `${host.label}-g${Math.floor(index / size.hosts)}`, name: GPU, simulated: true }] : []
  const past = { createdAt: now - HOUR_MS, containerStartedAt: now - HOUR_MS, readyAt: now, lastSeenAt: now }
  const need = isGpu ? {} : { cpus: 2, memoryBytes: 4e9 }
  const record = workerRecord(`w${index}`, { endpointId, hostId: host.label, gpus, ...need, ...past })
  await store.workers.create(record)
  const gpuUuids = gpus.map(({ uuid }) => uuid)
  const seen = { workerId: record.id, endpointId, specHash: 'hash', state: 'running', startedAt: now, exit: undefined, gpuUuids } as const
  host.observed.set(record.id, { ...seen, gpuUuids, imageId: undefined })
}

const nothing = async (): Promise<void> => undefined

function createHost(label: string, cards: number): FakeHost {
  const observed = new Map<string, ObservedWorker>()
  const gpus = Array.from({ length: cards }, (_, index) => ({
    uuid: `${label}-g${index}`,
    name: GPU,
    memoryBytes: 24e9,
    simulated: true,
    healthy: true,
  }))
  return {
    label,
    observed,
    kind: 'docker',
    capabilities: { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true },
    probe: async () => ({ kind: 'ok', words: 'simulated' }),
    prepare: async () => ({ words: 'simulated', planeAddress: undefined }),
    planeUrl: async () => 'http://plane:8081',
    planeName: 'runyard.internal',
    examine: async () => [],
    provePlane: async () => ({ subject: 'worker plane', verdict: 'ok', words: 'simulated' }),
    identify: async () => label,
    inventory: async () => ({ cpuCount: 64, memoryBytes: 1e12, gpus, cudaVersion: null }),
    cardsOfOthers: async () => [],
    installs: async () => [],
    listWorkers: async () => [...observed.values()],
    diskSpace: async () => undefined,
    heldImages: async () => [],
    removeImage: async () => false,
    removeVolume: async () => true,
    hasImage: async () => true,
    imageId: async () => undefined,
    pullImage: nothing,
    async startWorker({ workerId, endpointId, specHash, gpus: given }) {
      const gpuUuids = given.map(({ uuid }) => uuid)
      observed.set(workerId, { workerId, endpointId, specHash, state: 'running', startedAt: Date.now(), exit: undefined, gpuUuids })
    },
    async stopWorker(workerId) {
      observed.delete(workerId)
    },
    removeWorker: nothing,
    removeAll: nothing,
    tailLogs: async () => [],
    followLogs: nothing,
    watch: () => ({ [Symbol.asyncDispose]: nothing }),
    [Symbol.asyncDispose]: nothing,
  }
}
