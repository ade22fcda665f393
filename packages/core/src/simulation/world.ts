// What a simulation shows to `plan`: one host on which only GPUs are scarce, and the records of its endpoints and workers.
import type { AttachedGpu, Endpoint, EndpointSettings, Gpu, ObservedWorker, Reason, WorkerRecord } from '@runyard/schema'
import { DEFAULT_PLAN_POLICY, type EndpointView, type HostView, type Observed } from '../observed.ts'

/** When simulations begin, epoch ms. Any other time gives the same. */
export const START = 1_000_000_000
const HOST = 'h1'
const CARD = 'NVIDIA GeForce RTX 4090'
const CARD_POOL = 'ADA_24'
const LONG_AGO = START - 1_000_000

export function simulatedCards(count: number): Gpu[] {
  return Array.from({ length: count }, (_, at) => ({ uuid: `g${at}`, name: CARD, memoryBytes: 24e9, simulated: true, healthy: true }))
}

export function simulatedHost(gpus: Gpu[], workers: readonly ObservedWorker[], now: number): HostView {
  const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
  const machine = { kind: 'docker', cpuCount: 8, memoryBytes: 32e9, cudaVersion: null } as const
  const inventory = { hostId: HOST, ...machine, capabilities, gpus }
  const names = { hostId: HOST, label: HOST, kind: 'docker', isIdentified: true } as const
  return { ...names, unready: undefined, inventory, workers, cardsOfOthers: [], observedAt: now }
}

/** Of one queue, with one GPU per worker. */
export function simulatedEndpoint(id: string, settings: Omit<EndpointSettings, 'executionTimeoutMs'>): Endpoint {
  return {
    id: id as Endpoint['id'],
    name: id,
    ownerId: 'owner',
    type: 'QUEUE',
    spec: {
      image: 'image',
      args: '',
      env: {},
      diskGb: null,
      ports: [],
      registryId: null,
      gpu: { pools: [CARD_POOL], excludedTypes: [], count: 1, allowedCudaVersions: [] },
      cpu: null,
      networkVolumeIds: [],
      dataCenterIds: [],
      flashboot: 'OFF',
    },
    settings: { executionTimeoutMs: 0, ...settings },
    version: 1,
    specHash: 'spec-1',
    templateId: 'template',
    templateName: 'template',
    flashEnvironmentId: null,
    createdAt: LONG_AGO,
    updatedAt: LONG_AGO,
    echo: {},
  }
}

export interface Placing {
  readonly id: string
  readonly endpoint: Endpoint
  readonly gpus: readonly AttachedGpu[]
  readonly reason: Reason
  readonly now: number
}

/** A worker that starts now. */
export function simulatedWorker({ id, endpoint, gpus, reason, now }: Placing): WorkerRecord {
  const { id: endpointId, specHash, version: endpointVersion } = endpoint
  const where = { endpointId, hostId: HOST, specHash, endpointVersion, image: 'image', gpus: [...gpus] }
  return { id, ...where, startReason: reason, createdAt: now, containerStartedAt: now, lastSeenAt: now }
}

export function simulatedContainer({ id: workerId, endpointId, specHash, gpus, containerStartedAt }: WorkerRecord): ObservedWorker {
  const startedAt = containerStartedAt ?? START
  return { workerId, endpointId, specHash, state: 'running', startedAt, exit: undefined, gpuUuids: gpus.map(({ uuid }) => uuid) }
}

export function simulatedView(
  endpoint: Endpoint,
  seen: Pick<EndpointView, 'demand' | 'leases' | 'workers' | 'sweptAt' | 'yieldedAt'>,
): EndpointView {
  const quiet = { queue: { ended: 0, keptBytes: 0 }, lifeSigns: 'reports', failures: undefined, imageIds: new Map() } as const
  return { endpointId: endpoint.id, endpoint, ...quiet, ...seen }
}

/** Results are not simulated, so nothing is swept. */
const POLICY = { ...DEFAULT_PLAN_POLICY, sweepEveryMs: Infinity, quietSweepEveryMs: Infinity }

export function simulatedPool(endpoints: readonly EndpointView[], host: HostView, keyLimits: Observed['keyLimits']): Observed {
  const nothing = { inFlight: new Map(), stopRequests: new Map(), strangers: new Map(), shutdown: false } as const
  return { hosts: [host], endpoints, keyLimits, ...nothing, planeUpSince: LONG_AGO, policy: POLICY }
}
