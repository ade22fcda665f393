// Which GPUs satisfy a request: the gpuIds grammar (management §6.2, flash-api §9.1) and its matching. A pool that no host can satisfy is
// accepted here and throttled at placement; only text without a meaning is rejected.
import { RunyardError, type GpuRequest } from '@runyard/schema'
import {
  canonicalGpuName,
  GPU_POOLS,
  GPU_POOL_IDS,
  isGpuPool,
  isPublished,
  normalizeGpuName,
  poolOf,
  type NamedGpu,
} from './gpu-catalogue.ts'

export type GpuSelection = Pick<GpuRequest, 'pools' | 'excludedTypes'>

/**
 * `ADA_24,AMPERE_24,-NVIDIA L4` → pools and exclusions. A token with a space is a GPU type id (nvidia-smi's product name), `any` is
 * every pool. @throws RunyardError('bad_request') with one sentence.
 */
export function parseGpuIds(text: string): GpuSelection {
  const tokens = text
    .split(',')
    .map(normalizeGpuName)
    .filter((token) => token !== '')
  const excludedTypes = tokens.filter((token) => token.startsWith('-')).map((token) => token.slice(1).trim())
  const wanted = tokens.filter((token) => !token.startsWith('-')).flatMap(toPoolsOrType)
  if (wanted.length === 0) throw new RunyardError('bad_request', `gpuIds names no GPU pool: "${text}"`)
  const selection = { pools: [...new Set(wanted)], excludedTypes: [...new Set(excludedTypes)] }
  if (!leavesSomething(selection)) throw new RunyardError('bad_request', `gpuIds excludes every GPU type that it asks for: "${text}"`)
  return selection
}

function toPoolsOrType(token: string): readonly string[] {
  if (token.toLowerCase() === 'any') return GPU_POOL_IDS
  if (isGpuPool(token) || token.includes(' ')) return [token]
  throw new RunyardError('bad_request', `Invalid GPU Pool ID: "${token}"; the pools are ${GPU_POOL_IDS.join(', ')}`)
}

function leavesSomething(selection: GpuSelection): boolean {
  const excluded = new Set(selection.excludedTypes)
  return wantsEveryPool(selection) || selection.pools.some((pool) => membersOf(pool).some((name) => !excluded.has(name)))
}

function membersOf(poolOrType: string): readonly string[] {
  return isGpuPool(poolOrType) ? GPU_POOLS[poolOrType] : [poolOrType]
}

/** The inverse of `parseGpuIds`. */
export function formatGpuIds(selection: GpuSelection): string {
  return [...selection.pools, ...selection.excludedTypes.map((type) => `-${type}`)].join(',')
}

/** The GPU types of its pools, in its order. Types without a pool are not included, although a selection of all pools matches them. */
export function gpuTypesOf({ pools, excludedTypes }: GpuSelection): readonly string[] {
  return [...new Set(pools.flatMap(membersOf))].filter((type) => !excludedTypes.includes(type))
}

export function wantsEveryPool(selection: GpuSelection): boolean {
  return GPU_POOL_IDS.every((pool) => selection.pools.includes(pool))
}

/** True if a GPU of this name satisfies the request. The list of all pools means any GPU, including models in no pool (flash-api §9.1). */
export function matchesGpu(selection: GpuSelection, gpu: NamedGpu): boolean {
  return gpuRank(selection, gpu) !== undefined
}

/**
 * Position of the first pool in the request that the GPU satisfies: lower is preferred; undefined = no match. Flash asks for one type as its
 * pool without the others, so a request that excludes members of a pool gets only members of the published list.
 */
export function gpuRank(selection: GpuSelection, gpu: NamedGpu): number | undefined {
  const name = canonicalGpuName(gpu.name)
  const excluded = selection.excludedTypes.map(canonicalGpuName)
  if (excluded.includes(name)) return undefined
  const own = poolOf(gpu)
  const rank = selection.pools.findIndex((token) => {
    if (!isGpuPool(token)) return canonicalGpuName(token) === name
    return own === token && (isPublished(token, name) || !excluded.some((type) => isPublished(token, type)))
  })
  if (rank >= 0) return rank
  return wantsEveryPool(selection) ? selection.pools.length : undefined
}

/** `gpuRank` with a cache, because hosts have many GPUs of few models. */
export function createGpuRanker(selection: GpuSelection): (gpu: NamedGpu) => number | undefined {
  const ranks = new Map<string, number | undefined>()
  return (gpu) => {
    const key = `${gpu.pool} ${gpu.name}`
    if (!ranks.has(key)) ranks.set(key, gpuRank(selection, gpu))
    return ranks.get(key)
  }
}

/**
 * For messages: `any GPU`, `ADA_48_PRO`. Flash asks for GPU types as their pools without the pools' other types, and such a request gets only the types that
 * are left: they are named (`NVIDIA L4`), also where that is shorter.
 */
export function describeGpuRequest(request: GpuRequest): string {
  return `${request.count > 1 ? `${request.count} × ` : ''}${describeSelection(request)}`
}

function describeSelection(selection: GpuSelection): string {
  const without = selection.excludedTypes.length === 0 ? '' : ` without ${selection.excludedTypes.join(', ')}`
  if (wantsEveryPool(selection)) return `any GPU${without}`
  const pools = selection.pools.join(', ')
  const types = gpuTypesOf(selection)
  const cards =
    types.length > NAMED_TYPES ? `${types.slice(0, NAMED_TYPES).join(', ')} or ${types.length - NAMED_TYPES} others` : types.join(', ')
  return without !== '' || types.length === 1 || cards.length < pools.length ? cards : pools
}

const NAMED_TYPES = 5

/** Compares `major.minor` numerically: 12.11 is newer than 12.2 (management §6.2 "CUDA"). Negative: `a` is older. */
export function compareCudaVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

/** True if the host's driver satisfies the request's CUDA bounds. `null`: no driver, which satisfies only a request without bounds. */
export function matchesCuda(request: GpuRequest, driverVersion: string | null): boolean {
  const { minCudaVersion, allowedCudaVersions } = request
  if (minCudaVersion === undefined && allowedCudaVersions.length === 0) return true
  if (driverVersion === null) return false
  if (minCudaVersion !== undefined && compareCudaVersions(driverVersion, minCudaVersion) < 0) return false
  return allowedCudaVersions.length === 0 || allowedCudaVersions.some((version) => compareCudaVersions(version, driverVersion) === 0)
}
