// Test fixture: a scaler on a real Redis with a host that is a map in memory, whose faults a test can choose.
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  RunyardError,
  Config,
  type BuildPlacement,
  type HostDriver,
  type HostEvent,
  type HostSource,
  type ObservedWorker,
  type PullOptions,
  type WorkerLaunch,
} from '@runyard/schema'
import { DEFAULT_PLAN_POLICY, type PlanPolicy } from '@runyard/core'
import { createLogger, type Logger } from '@runyard/kit'
import { openStore, type Store } from '@runyard/store'
import { createMemoryBlobs, startRedis, staticSource, type TestRedis } from '@runyard/testing'
import { endpointRecord, type EndpointChange } from '@runyard/testing/records'
import { openScaler, type Scaler } from '../scaler.ts'

export interface FakeHost extends HostDriver {
  readonly launches: WorkerLaunch[]
  readonly stops: string[]
  /** The password of each pull. */
  readonly pulledWith: (string | undefined)[]
  readonly observed: Map<string, ObservedWorker>
  /** Build → the text of its archive; of one that is not unpacked, `ID packed`. */
  readonly placed: Map<string, string>
  /** A listing, an inventory or a start that the host refuses; `starting`: what it says while it takes its time with a start. */
  problem: {
    list?: string
    start?: RunyardError
    image?: RunyardError | 'endless'
    imageIds?: Record<string, string>
    starting?: string
    python?: string
  }
  /** The worker's process ends. */
  readonly die: (workerId: string, exitCode: number, options?: { oomKilled: boolean }) => void
}

const LIST_LAG_MS = 50

export function createFakeHost(label = 'local', hostId = label): FakeHost {
  const observed = new Map<string, ObservedWorker>()
  const listeners = new Set<(event: HostEvent) => void>()
  const problem: FakeHost['problem'] = {}
  const pulledWith: FakeHost['pulledWith'] = []
  // Like Docker's, the list lags behind the event of a death.
  const diedAt = new Map<string, number>()
  const asListed = (worker: ObservedWorker): ObservedWorker =>
    Date.now() - (diedAt.get(worker.workerId) ?? 0) < LIST_LAG_MS ? { ...worker, state: 'running', exit: undefined } : worker
  const emit = (kind: HostEvent['kind'], workerId: string) => listeners.forEach((listener) => listener({ kind, workerId, at: Date.now() }))
  const die: FakeHost['die'] = (workerId, exitCode, options = { oomKilled: false }) => {
    const worker = observed.get(workerId)
    if (worker === undefined || worker.state === 'exited') return
    observed.set(workerId, { ...worker, state: 'exited', exit: { at: Date.now(), exitCode, ...options } })
    diedAt.set(workerId, Date.now())
    emit('died', workerId)
  }
  return {
    label,
    ...facts(hostId),
    observed,
    problem,
    die,
    async listWorkers() {
      if (problem.list !== undefined) throw new RunyardError('internal', problem.list)
      return [...observed.values()].map(asListed)
    },
    pulledWith,
    ...offer({ problem, pulledWith }),
    ...builds(problem, observed),
    ...actions({ observed, problem, emit, die }),
    watch(onEvent) {
      listeners.add(onEvent)
      return { [Symbol.asyncDispose]: async () => void listeners.delete(onEvent) }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function facts(hostId: string) {
  return {
    kind: 'process',
    capabilities: { runsImages: false, isolates: false, gpuChoice: 'uuid', remembersExits: true },
    identify: async () => hostId,
    cardsOfOthers: async () => [],
    probe: async () => ({ kind: 'ok', words: 'a map' }),
    prepare: async () => ({ words: 'workers in a map', planeAddress: undefined }),
    planeUrl: async () => 'http://plane:8081',
    planeName: 'runyard.internal',
    examine: async () => [],
    provePlane: async () => ({ subject: 'worker plane', verdict: 'ok', words: 'a map' }),
    installs: async () => [],
    removeAll: async () => undefined,
  } satisfies Partial<HostDriver>
}

function offer({ problem, pulledWith }: Pick<FakeHost, 'problem' | 'pulledWith'>) {
  return {
    inventory: async () => ({ cpuCount: 8, memoryBytes: 32e9, gpus: [], cudaVersion: null }),
    diskSpace: async () => undefined,
    heldImages: async () => [],
    removeImage: async () => false,
    removeVolume: async () => true,
    hasImage: async () => problem.image === undefined,
    imageId: async (image: string) => problem.imageIds?.[image],
    pullImage: async (_image: string, { credentials, onProgress, signal }: PullOptions) => {
      pulledWith.push(credentials?.password)
      onProgress('pulling')
      if (problem.image === 'endless') await rejectedBy(signal)
      throw problem.image
    },
    tailLogs: async () => [{ at: Date.now(), source: 'stderr' as const, line: 'the last words' }],
    followLogs: async () => undefined,
  }
}

function builds(problem: FakeHost['problem'], observed: FakeHost['observed']) {
  const placed = new Map<string, string>()
  return {
    placed,
    async placeBuild({ id, isPacked, open, onProgress }: BuildPlacement) {
      onProgress('unpacking the app')
      placed.set(isPacked === true ? `${id} packed` : id, await text(Readable.from(await open())))
    },
    builds: async () => [...placed.keys()],
    removeBuild: async (id: string) => [...observed.values()].every(({ state }) => state !== 'running') && placed.delete(id),
    pythonOf: async () => problem.python,
  }
}

function rejectedBy(signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<undefined>()
  signal.addEventListener('abort', () => reject(new Error('pull broken off')), { once: true })
  return promise
}

interface FakeParts extends Pick<FakeHost, 'observed' | 'problem' | 'die'> {
  readonly emit: (kind: HostEvent['kind'], workerId: string) => void
}

function actions({ observed, problem, emit, die }: FakeParts) {
  const launches: WorkerLaunch[] = []
  const stops: string[] = []
  return {
    launches,
    stops,
    async startWorker(launch: WorkerLaunch) {
      if (problem.start !== undefined) throw problem.start
      launches.push(launch)
      const { workerId, endpointId, specHash } = launch
      const gpuUuids = launch.gpus.map((gpu) => gpu.uuid)
      // A name that is none is an id.
      const imageId = problem.imageIds === undefined ? undefined : (problem.imageIds[launch.image] ?? launch.image)
      observed.set(workerId, {
        workerId,
        endpointId,
        specHash,
        ...(problem.starting === undefined
          ? { state: 'running' as const, startedAt: Date.now() }
          : { state: 'starting' as const, startedAt: undefined, progress: problem.starting }),
        exit: undefined,
        gpuUuids,
        imageId,
      })
      emit('started', workerId)
    },
    async stopWorker(workerId: string) {
      stops.push(workerId)
      die(workerId, 0)
    },
    async removeWorker(workerId: string) {
      observed.delete(workerId)
    },
  }
}

export interface ScalerChange {
  readonly policy?: Partial<PlanPolicy>
  readonly config?: Record<string, unknown>
  readonly driver?: HostDriver
  /** Instead of one. */
  readonly source?: HostSource
  readonly store?: Store
  readonly leaderTtlMs?: number
  readonly log?: Logger
}

export interface ScalerFixture extends AsyncDisposable {
  readonly redis: TestRedis
  readonly store: Store
  readonly host: FakeHost
  /** Opens a scaler; a second one stands for a restart. */
  open(options?: ScalerChange): Promise<Scaler>
  /** FLUSHALL. */
  flush(): Promise<void>
}

export async function openScalerFixture(): Promise<ScalerFixture> {
  const scope = new AsyncDisposableStack()
  const redis = scope.use(await startRedis())
  const store = scope.use(
    await openStore({
      redisUrl: redis.url,
      leaseMs: 30_000,
      retention: { asyncMs: 60_000, syncMs: 60_000 },
      history: { bytes: 8 * 1024 * 1024, days: 7 },
      blobs: { store: createMemoryBlobs(), thresholdBytes: Infinity },
    }),
  )
  const host = createFakeHost()
  return {
    redis,
    store,
    host,
    async open({ policy = {}, config = {}, driver = host, source = staticSource([driver]), ...more } = {}) {
      const scaler = await openScaler({
        store,
        source,
        config: Config.parse({ simulatedGpus: 'NVIDIA GeForce RTX 4090:2', ...config }),
        log: createLogger({ name: 'scaler-test', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
        caBundle: undefined,
        authority: async () => undefined,
        policy: { ...DEFAULT_PLAN_POLICY, settleMs: 200, reapGraceMs: 200, ...policy },
        planeUpSince: () => 0,
        facts: { machine: 'here', pid: process.pid, dataDir: '/data', since: 1, processTable: '', life: '' },
        ...more,
      })
      scope.use(scaler)
      scaler.loop.start()
      return scaler
    },
    flush: () => redis.flush(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
}

export function endpointOf(
  id: string,
  { hash = 'hash-1', spec, settings }: Pick<EndpointChange, 'spec' | 'settings'> & { hash?: string } = {},
) {
  const now = Date.now()
  return endpointRecord(id, {
    spec: { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] }, ...spec },
    settings: { idleTimeoutMs: 60_000, ...settings },
    specHash: hash,
    createdAt: now,
    updatedAt: now,
  })
}
