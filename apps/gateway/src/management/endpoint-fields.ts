// An endpoint's fields by their names in REST v2, REST v1 and GraphQL (management §2.1, §3.2, §4.1; flash-api §3.1). What a field is on its own
// stands here; what a body leaves out, and which fields exclude each other, is decided where each dialect's bodies are read.
import {
  cpuInstanceId,
  DEFAULT_GPU,
  formatGpuIds,
  gpuTypesOf,
  parseGpuIds,
  resolveCpu,
  type CpuSize,
  type GpuChange,
  type GpuSelection,
} from '@runyard/core'
import type { CpuRequest, EndpointSettings, EndpointSpec, GpuRequest, Scaling } from '@runyard/schema'
import { FLASHBOOT_MODES, RunyardError } from '@runyard/schema'
import type { EndpointView, UpdateEndpointBody, V1EndpointView, V1UpdateEndpointBody } from '@runyard/schema/api'
import { fieldTable, seconds, splitCommas, textOrNull, type Shape } from './fields.ts'
import type { EndpointInput } from './graphql/inputs.ts'

type V1 = Shape<V1UpdateEndpointBody, V1EndpointView>
type Graphql = Shape<EndpointInput, Readonly<Record<string, unknown>>>
/** In REST v2 some fields stand in an object of their own. */
interface In<K extends keyof EndpointView & keyof UpdateEndpointBody> {
  v2: Shape<NonNullable<UpdateEndpointBody[K]>, NonNullable<EndpointView[K]>>
  v1: V1
  graphql: Graphql
}
interface Flat {
  v2: Shape<UpdateEndpointBody, EndpointView>
  v1: V1
  graphql: Graphql
}

export const WORKERS = fieldTable<EndpointSettings, In<'workers'>>()({
  workersMin: { v2: 'min', v1: 'workersMin', graphql: 'workersMin' },
  workersMax: { v2: 'max', v1: 'workersMax', graphql: 'workersMax' },
  idleTimeoutMs: {
    v2: { name: 'idleTimeout', ...seconds },
    // Whole numbers stay whole, since Go clients refuse others (management §4.4).
    v1: { name: 'idleTimeout', read: seconds.read, write: (ms) => Math.ceil(seconds.write(ms)) },
    graphql: { name: 'idleTimeout', ...seconds },
  },
})

export const DEFAULT_SCALER_VALUE = 4

export const SETTINGS = fieldTable<EndpointSettings, Flat>()({
  scaling: {
    v2: 'scaling',
    v1: {
      name: null,
      names: ['scalerType', 'scalerValue'],
      read({ scalerType, scalerValue }, { scaling } = {}) {
        if (scalerType === undefined && scalerValue === undefined) return undefined
        const type = scalerType ?? scaling?.type ?? 'QUEUE_DELAY'
        return toScaling(type, scalerValue ?? (scaling?.type === type ? scalerValueOf(scaling) : DEFAULT_SCALER_VALUE))
      },
      write: (scaling) => ({ scalerType: scaling.type, scalerValue: Math.max(1, Math.ceil(scalerValueOf(scaling))) }),
    },
    graphql: {
      name: null,
      names: ['scalerType', 'scalerValue'],
      read: ({ scalerType, scalerValue }, { scaling } = {}) =>
        toScaling(scalerType ?? scaling?.type ?? 'QUEUE_DELAY', scalerValue ?? DEFAULT_SCALER_VALUE),
      write: (scaling) => ({ scalerType: scaling.type, scalerValue: scalerValueOf(scaling) }),
    },
  },
  executionTimeoutMs: { v2: 'timeout', v1: 'executionTimeoutMs', graphql: 'executionTimeoutMs' },
  priority: { v2: 'priority' },
  requestsPerSecond: { v2: 'requestsPerSecond' },
})

function toScaling(type: string, value: number): Scaling {
  if (type === 'QUEUE_DELAY') return { type, queueDelay: value }
  if (type === 'REQUEST_COUNT') return { type, requestCount: value }
  throw new RunyardError('bad_request', `scalerType must be QUEUE_DELAY or REQUEST_COUNT; "${type}" was given.`)
}

const scalerValueOf = (scaling: Scaling): number => (scaling.type === 'QUEUE_DELAY' ? scaling.queueDelay : scaling.requestCount)

export const PLACEMENT = fieldTable<EndpointSpec, Flat>()({
  dataCenterIds: {
    v2: 'dataCenterIds',
    v1: 'dataCenterIds',
    graphql: { name: 'locations', read: splitCommas, write: (ids) => ids.join(',') || null },
  },
  networkVolumeIds: {
    v2: 'networkVolumes',
    v1: {
      name: null,
      names: ['networkVolumeIds', 'networkVolumeId'],
      read: ({ networkVolumeIds, networkVolumeId }) =>
        (networkVolumeIds ?? (networkVolumeId === undefined ? undefined : [networkVolumeId]))?.filter((id) => id !== ''),
      write: (ids) => ({ ...(ids[0] !== undefined && { networkVolumeId: ids[0] }), networkVolumeIds: ids }),
    },
    graphql: {
      name: null,
      names: ['networkVolumeIds', 'networkVolumeId', 'volumes'],
      read: readVolumes,
      write: (ids) => ({
        networkVolumeId: ids[0] ?? null,
        networkVolumeIds: ids.map((networkVolumeId) => ({ networkVolumeId, dataCenterId: null })),
        networkVolume: ids[0] === undefined ? null : { id: ids[0], dataCenterId: null },
      }),
    },
  },
  flashboot: {
    v2: { name: 'flashboot', read: (mode) => (typeof mode === 'boolean' ? flashbootOf(mode) : mode), write: (mode) => mode },
    v1: {
      name: null,
      names: ['flashboot'],
      read: ({ flashboot }) => (flashboot === undefined ? undefined : flashbootOf(flashboot)),
      write: () => ({}),
    },
    graphql: {
      name: null,
      names: ['flashBootType', 'name'],
      read: readFlashboot,
      write: (mode) => ({ flashBootType: mode === 'OFF' ? null : mode }),
    },
  },
})

/** SDK 2 names global volumes apart (sdk2-api §3.1). Without any, they say nothing of the network volumes. */
function readVolumes({ networkVolumeIds, networkVolumeId, volumes }: EndpointInput): string[] | undefined {
  const network =
    networkVolumeIds?.map((volume) => volume.networkVolumeId) ?? (networkVolumeId == null ? undefined : splitCommas(networkVolumeId))
  const global = volumes?.map(({ volumeId }) => volumeId) ?? []
  return network === undefined && global.length === 0 ? undefined : [...(network ?? []), ...global]
}

function flashbootOf(on: boolean): 'FLASHBOOT' | 'OFF' {
  return on ? 'FLASHBOOT' : 'OFF'
}

/** Before the field existed a name that ends in `-fb` asked for it (management §4.1). */
function readFlashboot({ flashBootType, name }: EndpointInput): EndpointSpec['flashboot'] | undefined {
  if (flashBootType == null || flashBootType === '') return name?.endsWith('-fb') === true ? 'FLASHBOOT' : undefined
  const mode = FLASHBOOT_MODES.find((candidate) => candidate === flashBootType)
  if (mode !== undefined) return mode
  throw new RunyardError('bad_request', `flashBootType must be one of ${FLASHBOOT_MODES.join(', ')}; "${flashBootType}" was given.`)
}

/** A GPU request whose pools and exclusions are one value, as most dialects write them. */
interface GpuFields {
  readonly selection: GpuSelection
  readonly count: number
  readonly allowedCudaVersions: string[]
  readonly minCudaVersion: string | null
}

export const GPU = fieldTable<GpuFields, In<'gpu'>>()({
  selection: {
    v2: {
      name: null,
      names: ['pools', 'excludedTypes'],
      /** New pools without exclusions clear the old ones; exclusions alone say nothing. `any` stands for every pool. */
      read({ pools, excludedTypes = [] }) {
        return pools === undefined ? undefined : { pools: parseGpuIds(pools.join(',')).pools, excludedTypes }
      },
      write: ({ pools, excludedTypes }) => ({ pools, excludedTypes }),
    },
    // GPU types are kept as they are named, in their order; an empty list stands for every card.
    v1: {
      name: 'gpuTypeIds',
      read: (types) => parseGpuIds(types.join(',') || 'any'),
      write: (selection) => [...gpuTypesOf(selection)],
    },
    graphql: {
      name: 'gpuIds',
      read: (text) => (text === '' ? undefined : parseGpuIds(text)),
      write: (selection) => formatGpuIds(selection) || null,
    },
  },
  count: { v2: 'count', v1: 'gpuCount', graphql: { name: 'gpuCount', read: (count) => count, write: (count) => count || null } },
  allowedCudaVersions: {
    v2: 'allowedCudaVersions',
    v1: 'allowedCudaVersions',
    graphql: { name: 'allowedCudaVersions', read: splitCommas, write: (versions) => versions.join(',') },
  },
  minCudaVersion: {
    v2: { name: 'minCudaVersion', read: textOrNull, write: (version) => version },
    v1: { name: 'minCudaVersion', read: textOrNull, write: (version) => version ?? undefined },
    graphql: { name: 'minCudaVersion', read: textOrNull, write: (version) => version },
  },
})

export function toGpuChange({ selection, ...rest }: Partial<GpuFields>): GpuChange {
  return { ...selection, ...rest }
}

/** Of a CPU endpoint: nothing, by which its replies show that it has no GPU. */
export function gpuFields(gpu: GpuRequest | null): GpuFields {
  const { pools, excludedTypes, minCudaVersion = null, ...rest } = gpu ?? { ...DEFAULT_GPU, count: 0 }
  return { selection: { pools, excludedTypes }, minCudaVersion, ...rest }
}

export const CPU = fieldTable<CpuRequest, Flat>()({
  instanceIds: {
    v2: {
      name: 'cpu',
      read: (sizes) => sizes.map(({ id, vcpuCount, memory }) => cpuInstanceId(id, vcpuCount, memory)),
      write: (ids) => resolveCpu(ids).map(cpuReply),
    },
    v1: {
      name: null,
      names: ['cpuFlavorIds', 'vcpuCount'],
      /** What is not named of it stays. */
      read({ cpuFlavorIds, vcpuCount }, { instanceIds = [] } = {}) {
        if (cpuFlavorIds === undefined && vcpuCount === undefined) return undefined
        const before = instanceIds.map((id) => id.split('-'))
        const flavors = cpuFlavorIds ?? before.map(([flavor = '']) => flavor)
        return [...new Set(flavors)].map((flavor) => cpuInstanceId(flavor, vcpuCount ?? Number(before[0]?.[1])))
      },
      write: (instanceIds) => ({ instanceIds }),
    },
    graphql: { name: 'instanceIds', read: (ids) => (ids.length === 0 ? undefined : [...ids]), write: (ids) => ids },
  },
})

function cpuReply({ instanceId, cpus, memoryBytes }: CpuSize) {
  return { id: instanceId.slice(0, instanceId.indexOf('-')), vcpuCount: cpus, memory: Math.round(memoryBytes / 1e9) }
}
