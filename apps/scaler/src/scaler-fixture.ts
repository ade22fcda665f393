// Test fixture: a scaler on a real Redis with a host that is a map in memory, whose faults a test can choose.
import {
  RunyardError,
  Config,
  type Endpoint,
  type HostDriver,
  type HostEvent,
  type ObservedWorker,
  type WorkerLaunch,
} from '@runyard/schema'
import { DEFAULT_PLAN_POLICY, type PlanPolicy } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { openStore, type Store } from '@runyard/store'
import { startRedis, type TestRedis } from '@runyard/testing'
import { openScaler, type Scaler } from './scaler.ts'

export interface FakeHost extends HostDriver {
  readonly launches: WorkerLaunch[]
  readonly stops: string[]
  readonly observed: Map<string, ObservedWorker>
  /** A listing, an inventory or a start that the host refuses. */
  problem: { list?: string; start?: RunyardError; image?: RunyardError }
  /** The worker's process ends. */
  die(workerId: string, exitCode: number, options?: { oomKilled: boolean }): void
}

export function createFakeHost(hostId = 'local'): FakeHost {
  const observed = new Map<string, ObservedWorker>()
  const listeners = new Set<(event: HostEvent) => void>()
  const problem: FakeHost['problem'] = {}
  const launches: WorkerLaunch[] = []
  const stops: string[] = []
  const emit = (kind: HostEvent['kind'], workerId: string) => listeners.forEach((listener) => listener({ kind, workerId, at: Date.now() }))
  const die = (workerId: string, exitCode: number, options = { oomKilled: false }) => {
    const worker = observed.get(workerId)
    if (worker === undefined || worker.state === 'exited') return
    observed.set(workerId, { ...worker, state: 'exited', exit: { at: Date.now(), exitCode, ...options } })
    emit('died', workerId)
  }
  return {
    hostId,
    kind: 'process',
    launches,
    stops,
    observed,
    problem,
    die,
    async inventory() {
      return { hostId, kind: 'process', cpuCount: 8, memoryBytes: 32e9, gpus: [], cudaVersion: null }
    },
    async listWorkers() {
      if (problem.list !== undefined) throw new RunyardError('internal', problem.list)
      return [...observed.values()]
    },
    hasImage: async () => problem.image === undefined,
    async pullImage() {
      if (problem.image !== undefined) throw problem.image
    },
    async startWorker(launch) {
      if (problem.start !== undefined) throw problem.start
      launches.push(launch)
      const { workerId, endpointId, specHash } = launch
      const gpuUuids = launch.gpus.map((gpu) => gpu.uuid)
      observed.set(workerId, { workerId, endpointId, specHash, state: 'running', startedAt: Date.now(), exit: undefined, gpuUuids })
      emit('started', workerId)
    },
    async stopWorker(workerId) {
      stops.push(workerId)
      die(workerId, 0)
    },
    async removeWorker(workerId) {
      observed.delete(workerId)
    },
    async tailLogs() {
      return [{ at: Date.now(), source: 'stderr', line: 'the last words' }]
    },
    async followLogs(_, { signal }) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    watch(onEvent) {
      listeners.add(onEvent)
      return { [Symbol.asyncDispose]: async () => void listeners.delete(onEvent) }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

export interface ScalerFixture extends AsyncDisposable {
  readonly redis: TestRedis
  readonly store: Store
  readonly host: FakeHost
  /** Opens a scaler; a second one stands for a restart. */
  open(options?: { policy?: Partial<PlanPolicy>; config?: Record<string, unknown> }): Promise<Scaler>
}

export async function openScalerFixture(): Promise<ScalerFixture> {
  const scope = new AsyncDisposableStack()
  const redis = scope.use(await startRedis())
  const store = scope.use(await openStore({ redisUrl: redis.url, leaseMs: 30_000, retention: { asyncMs: 60_000, syncMs: 60_000 } }))
  const host = createFakeHost()
  return {
    redis,
    store,
    host,
    async open({ policy = {}, config = {} } = {}) {
      const scaler = await openScaler({
        store,
        drivers: [host],
        config: Config.parse({ simulatedGpus: 'NVIDIA GeForce RTX 4090:2', ...config }),
        log: createLogger({ name: 'scaler-test', level: process.env['TEST_LOG'] ?? 'silent' }),
        planeUrl: 'http://plane:8081',
        caBundle: undefined,
        policy: { ...DEFAULT_PLAN_POLICY, settleMs: 200, ...policy },
        planeUpSince: () => 0,
      })
      scope.use(scaler)
      scaler.loop.start()
      return scaler
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
}

export function endpointOf(
  id: string,
  change: { spec?: Partial<Endpoint['spec']>; settings?: Partial<Endpoint['settings']>; hash?: string } = {},
) {
  const now = Date.now()
  return {
    id: id as Endpoint['id'],
    name: id,
    ownerId: 'owner',
    type: 'QUEUE',
    spec: {
      image: 'runpod/flash:py3.12-latest',
      args: '',
      env: {},
      diskGb: null,
      ports: [],
      registryId: null,
      gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] },
      cpu: null,
      networkVolumeIds: [],
      dataCenterIds: [],
      flashboot: 'OFF',
      ...change.spec,
    },
    settings: {
      workersMin: 0,
      workersMax: 3,
      idleTimeoutMs: 60_000,
      scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
      executionTimeoutMs: 0,
      ...change.settings,
    },
    version: 1,
    specHash: change.hash ?? 'hash-1',
    templateId: `t-${id}`,
    templateName: `t-${id}`,
    flashEnvironmentId: null,
    createdAt: now,
    updatedAt: now,
    echo: {},
  } satisfies Endpoint
}
