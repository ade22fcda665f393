// Which GPUs a request may have, whether they are free now or not.
import type { Gpu, GpuRequest, HostInventory } from '@runyard/schema'
import { inGib, usableMemoryOf } from './gpu-budget.ts'
import { isGpuPool, leastMemoryOf, poolOf } from './gpu-catalogue.ts'
import { createGpuRanker, matchesCuda, wantsEveryPool } from './gpu-request.ts'

/** Why a worker may never get this GPU, even when it is free; undefined: it may. */
export type Misfit = 'other_type' | 'reserved' | 'faulty' | 'memory_reserved' | 'too_small' | 'one_process' | 'old_driver'

export interface Fitting {
  readonly request: GpuRequest
  /** Of a worker, in bytes; undefined: it needs its GPUs alone. */
  readonly budget: number | undefined
  readonly host: HostInventory
  /** Of the request. */
  readonly rankOf: (gpu: Gpu) => number | undefined
}

export function misfitOf(gpu: Gpu, { request, budget, host, rankOf }: Fitting): Misfit | undefined {
  if (rankOf(gpu) === undefined) return 'other_type'
  if (gpu.reserved === true) return 'reserved'
  if (!gpu.healthy || (request.count > 1 && isForOne(gpu))) return 'faulty'
  const ofMemory = budget === undefined ? aloneMisfit(gpu, request) : sharedMisfit(gpu, budget)
  if (ofMemory !== undefined) return ofMemory
  return gpu.simulated || matchesCuda(request, host.cudaVersion) ? undefined : 'old_driver'
}

const aloneMisfit = (gpu: Gpu, request: GpuRequest) => (lacksMemory(gpu, request) ? 'memory_reserved' : undefined)

function sharedMisfit(gpu: Gpu, budget: number): Misfit | undefined {
  if (budget > usableMemoryOf(gpu)) return 'too_small'
  return gpu.oneProcess === true ? 'one_process' : undefined
}

/**
 * True if the reserve leaves less than the request's pool promises: as little as a card of the next smaller pool has. A request for any GPU, or
 * for one type by its name, accepts what is left.
 */
export function lacksMemory(gpu: Gpu, request: GpuRequest): boolean {
  if (gpu.reservedBytes === undefined) return false
  const pool = poolOf(gpu)
  const byPool = pool !== null && !wantsEveryPool(request) && request.pools.filter(isGpuPool).some((wanted) => wanted === pool)
  return usableMemoryOf(gpu) <= 0 || (byPool && usableMemoryOf(gpu) < leastMemoryOf(pool))
}

/** E.g. `20 GiB of the 24 GiB of NVIDIA L4 are reserved`. */
export function describeReserve({ name, memoryBytes, reservedBytes = 0 }: Gpu): string {
  return `${inGib(reservedBytes)} of the ${inGib(memoryBytes)} of ${name} are reserved`
}

/** E.g. `NVIDIA L4 has 22 GiB`. */
export function describeSize(gpu: Gpu): string {
  return `${gpu.name} has ${inGib(usableMemoryOf(gpu))}`
}

/** A process can use one slice only, and a broken NVLink fabric fails work of several GPUs. */
const isForOne = ({ parent, faultKind }: Gpu): boolean => parent !== undefined || faultKind === 'fabric'

export function matchingGpus(request: GpuRequest, budget: number | undefined, host: HostInventory): readonly Gpu[] {
  const rankOf = createGpuRanker(request)
  return host.gpus.filter((gpu) => misfitOf(gpu, { request, budget, host, rankOf }) === undefined)
}

/** All GPUs of one worker are of one model: the models with enough GPUs. */
export function modelsOf(gpus: readonly Gpu[], count: number): readonly (readonly Gpu[])[] {
  const groups = [...Map.groupBy(gpus, (gpu) => gpu.name).values()]
  return groups.filter((group) => group.length >= count)
}
