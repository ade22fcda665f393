// Test fixture: short constructors for observations, and a simulated world that applies a plan at once.
import type { Endpoint, Gpu, HostCapabilities, ObservedWorker, WorkerRecord } from '@runyard/schema'
import { endpointRecord, workerRecord, type EndpointChange } from '@runyard/testing/records'
import {
  DEFAULT_PLAN_POLICY,
  workerKey,
  type Action,
  type EndpointView,
  type HostView,
  type InFlightKind,
  type Observed,
} from '../observed.ts'

export const CONTAINERS: HostCapabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true }
export const NOW = 1_000_000_000

export function gpu(uuid: string, name = 'NVIDIA GeForce RTX 4090'): Gpu {
  return { uuid, name, memoryBytes: 24e9, simulated: true, healthy: true }
}

export function host(hostId: string, gpus: readonly Gpu[], workers: readonly ObservedWorker[] | undefined = []): HostView {
  const inventory = {
    hostId,
    kind: 'docker' as const,
    capabilities: CONTAINERS,
    cpuCount: 8,
    memoryBytes: 32e9,
    gpus: [...gpus],
    cudaVersion: null,
  }
  return {
    hostId,
    label: hostId,
    kind: 'docker',
    isIdentified: true,
    unready: undefined,
    inventory,
    workers,
    cardsOfOthers: [],
    observedAt: NOW,
  }
}

export function endpoint(id: string, { spec, settings }: Pick<EndpointChange, 'spec' | 'settings'> = {}): Endpoint {
  return endpointRecord(id, {
    spec: { gpu: { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] }, ...spec },
    settings: { idleTimeoutMs: 300_000, ...settings },
    specHash: 'spec-1',
  })
}

export function record(id: string, change: Partial<WorkerRecord> = {}): WorkerRecord {
  const times = { createdAt: NOW - 100_000, containerStartedAt: NOW - 99_000, readyAt: NOW - 98_000, lastSeenAt: NOW - 1000 }
  return workerRecord(id, { endpointId: 'ep-one', hostId: 'h1', specHash: 'spec-1', ...times, ...change })
}

export function container(worker: Pick<WorkerRecord, 'id' | 'endpointId' | 'gpus'>, change: Partial<ObservedWorker> = {}): ObservedWorker {
  return {
    workerId: worker.id,
    endpointId: worker.endpointId,
    specHash: 'spec-1',
    state: 'running',
    startedAt: NOW - 99_000,
    exit: undefined,
    gpuUuids: worker.gpus.map(({ uuid }) => uuid),
    ...change,
  }
}

export function exited(worker: WorkerRecord, exitCode = 1, oomKilled = false): ObservedWorker {
  return container(worker, { state: 'exited', exit: { at: NOW - 10, exitCode, oomKilled } })
}

export function view(found: Endpoint, change: Partial<EndpointView> = {}): EndpointView {
  return {
    endpointId: found.id,
    endpoint: found,
    demand: { waiting: 0, waitingNormal: 0, oldestWaitingAt: undefined },
    queue: { ended: 0, keptBytes: 0 },
    lifeSigns: 'reports',
    leases: [],
    workers: [],
    failures: undefined,
    sweptAt: NOW,
    yieldedAt: 0,
    imageIds: new Map(),
    ...change,
  }
}

export function waiting(count: number, sinceMs = 0): Pick<EndpointView, 'demand'> {
  return {
    demand: { waiting: count, waitingNormal: count, oldestWaitingAt: count === 0 ? undefined : NOW - sinceMs },
  }
}

export function lease(jobId: string, workerId: string | undefined, change: Partial<EndpointView['leases'][number]> = {}) {
  return { jobId, endpointId: 'ep-one', workerId, lastHolder: workerId, startedAt: NOW - 5000, executionTimeoutMs: undefined, ...change }
}

export function observed(endpoints: readonly EndpointView[], hosts: readonly HostView[], change: Partial<Observed> = {}): Observed {
  return {
    hosts,
    endpoints,
    inFlight: new Map<string, InFlightKind>(),
    stopRequests: new Map(),
    keyLimits: new Map(),
    strangers: strangersIn(endpoints, hosts),
    planeUpSince: NOW - 1_000_000,
    shutdown: false,
    policy: DEFAULT_PLAN_POLICY,
    ...change,
  }
}

/** Seen long enough to be reaped. */
function strangersIn(endpoints: readonly EndpointView[], hosts: readonly HostView[]): Observed['strangers'] {
  const known = new Set(endpoints.flatMap(({ workers }) => workers.map(({ id }) => id)))
  const strangers = hosts.flatMap(({ workers }) => workers ?? []).filter(({ workerId }) => !known.has(workerId))
  return new Map(strangers.map(({ workerId }) => [workerId, { since: NOW - 1_000_000, wasKnown: false }]))
}

/** The world right after every action of a plan succeeded. Ids of new workers come from `nextId`. */
export function applyActions(before: Observed, actions: readonly Action[], nextId: () => string): Observed {
  return actions.reduce((world, action) => applyOne(world, action, nextId), before)
}

function applyOne(world: Observed, action: Action, nextId: () => string): Observed {
  if (isEndpointAction(action)) return applyToEndpoint(world, action)
  switch (action.kind) {
    case 'start':
      return addWorker(world, action, nextId())
    case 'drain':
      return changeRecord(world, action, { drainingSince: NOW, retireReason: action.reason })
    case 'serve-on':
      return changeRecord(world, action, { servesThrough: action.through })
    case 'mark-outdated':
      return changeRecord(world, action, { outdatedSince: NOW })
    case 'stop':
      return { ...world, inFlight: new Map([...world.inFlight, [workerKey(action.workerId), 'other' as const]]) }
    case 'resume':
      return resumeWorker(world, action)
    case 'remove':
    case 'reap':
      break
  }
  return removeWorker(world, action)
}

const ENDPOINT_ACTIONS = ['take-back', 'time-out', 'sweep', 'note-release', 'roll-back', 'end-task', 'forget-endpoint'] as const
type EndpointAction = Extract<Action, { kind: (typeof ENDPOINT_ACTIONS)[number] }>

function isEndpointAction(action: Action): action is EndpointAction {
  return ENDPOINT_ACTIONS.some((kind) => kind === action.kind)
}

function applyToEndpoint(world: Observed, action: EndpointAction): Observed {
  const { endpointId } = action
  if (action.kind === 'sweep') return changeView(world, endpointId, () => ({ sweptAt: NOW }))
  if (action.kind === 'forget-endpoint') return { ...world, endpoints: world.endpoints.filter((found) => found.endpointId !== endpointId) }
  if (!('jobId' in action)) return world
  return changeView(world, endpointId, ({ leases }) => ({ leases: leases.filter(({ jobId }) => jobId !== action.jobId) }))
}

function addWorker(world: Observed, action: Extract<Action, { kind: 'start' }>, id: string): Observed {
  const fresh = record(id, { endpointId: action.endpointId, hostId: action.hostId, gpus: [...action.gpus], createdAt: NOW })
  const { readyAt: _ready, ...starting } = fresh
  const withRecord = changeView(world, action.endpointId, (found) => ({ workers: [...found.workers, starting] }))
  return changeHost(withRecord, action.hostId, (workers) => [...workers, container(fresh, { startedAt: NOW })])
}

function resumeWorker(world: Observed, { endpointId, workerId, hostId }: Extract<Action, { kind: 'resume' }>): Observed {
  const found = world.endpoints.flatMap(({ workers }) => workers).find(({ id }) => id === workerId)
  const fresh = container(found ?? record(workerId, { endpointId }), { startedAt: NOW })
  return changeHost(world, hostId, (workers) => [...workers.filter((worker) => worker.workerId !== workerId), fresh])
}

function removeWorker(
  world: Observed,
  gone: { readonly endpointId: string; readonly workerId: string; readonly hostId: string },
): Observed {
  const without = changeView(world, gone.endpointId, ({ workers }) => ({ workers: workers.filter(({ id }) => id !== gone.workerId) }))
  return changeHost(without, gone.hostId, (workers) => workers.filter(({ workerId }) => workerId !== gone.workerId))
}

function changeView(world: Observed, endpointId: string, change: (found: EndpointView) => Partial<EndpointView>): Observed {
  return { ...world, endpoints: world.endpoints.map((found) => (found.endpointId === endpointId ? { ...found, ...change(found) } : found)) }
}

function changeRecord(world: Observed, { endpointId, workerId }: { endpointId: string; workerId: string }, fields: Partial<WorkerRecord>) {
  return changeView(world, endpointId, ({ workers }) => ({
    workers: workers.map((worker) => (worker.id === workerId ? { ...worker, ...fields } : worker)),
  }))
}

function changeHost(world: Observed, hostId: string, change: (workers: readonly ObservedWorker[]) => readonly ObservedWorker[]): Observed {
  const hosts = world.hosts.map((found) =>
    found.hostId === hostId && found.workers !== undefined ? { ...found, workers: change(found.workers) } : found,
  )
  return { ...world, hosts }
}
