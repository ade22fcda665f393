// What the operator's configuration of a host makes of what the host offers: less memory and fewer CPUs, GPUs kept for other uses, simulated ones, labels.
import type { Cordon, Gpu, HostConfig, HostInventory } from '@runyard/schema'
import { withGpuTypes, type GpuCatalogue } from './gpu-catalogue.ts'
import { parseSimulatedGpus, withSimulatedGpus } from './simulated-gpus.ts'

const MIB = 2 ** 20

export interface PoolSettings {
  readonly catalogue: GpuCatalogue
  /** The simulated GPUs of a host whose own configuration names none. */
  readonly simulatedGpus?: string | undefined
}

export function asConfigured(found: HostInventory, config: HostConfig | undefined, pool: PoolSettings): HostInventory {
  const inventory =
    config === undefined ? found : { ...found, ...given(config), ...limited(found, config), gpus: withReserve(found.gpus, config) }
  const { catalogue } = pool
  const simulated = parseSimulatedGpus(config?.simulatedGpus ?? pool.simulatedGpus)
  const { gpus, ...rest } = withSimulatedGpus(inventory, simulated, catalogue)
  return withGpuTypes({ ...rest, gpus: withLessMemory(gpus, config) }, catalogue)
}

function given({ labels, dataCenter, volumes, reservedMemoryBytes, gpuMemoryBytes }: HostConfig): Partial<HostInventory> {
  return {
    ...(labels && { labels }),
    ...(volumes?.shared === true && { volumes: { shared: true } }),
    ...(dataCenter !== undefined && { dataCenterId: dataCenter }),
    ...(reservedMemoryBytes !== undefined && { reservedMemoryBytes }),
    ...(gpuMemoryBytes !== undefined && { gpuMemoryBytes }),
  }
}

function limited({ memoryBytes, cpuCount }: HostInventory, { limits = {} }: HostConfig): Partial<HostInventory> {
  return {
    memoryBytes: Math.min(memoryBytes, limits.memoryBytes ?? Infinity),
    cpuCount: Math.min(cpuCount, limits.cpus ?? Infinity),
    ...(limits.workers !== undefined && { maxWorkers: limits.workers }),
  }
}

function withReserve(gpus: readonly Gpu[], { reserve: { gpus: whole = 0 } = {} }: HostConfig): Gpu[] {
  const kept = new Set(typeof whole === 'number' ? gpus.slice(Math.max(0, gpus.length - whole)).map(({ uuid }) => uuid) : whole)
  return gpus.map((gpu) => ({ ...gpu, ...(kept.has(gpu.uuid) ? { reserved: true } : {}) }))
}

function withLessMemory(gpus: Gpu[], config: HostConfig | undefined): Gpu[] {
  const { gpuMemoryMib = 0 } = config?.reserve ?? {}
  return gpuMemoryMib === 0 ? gpus : gpus.map((gpu) => ({ ...gpu, reservedBytes: gpuMemoryMib * MIB }))
}

/** A cordon that is written in the configuration; `since`: when it was read. */
export function configuredCordon(config: Pick<HostConfig, 'cordon'> | undefined, since: number): Cordon | undefined {
  const cordon = config?.cordon
  if (cordon === undefined || cordon === false) return undefined
  return { since, reason: cordon === true ? 'by its configuration' : cordon }
}

/** Why a host is not used that has the identity of another one, as the end of a sentence. */
export function twinOf(label: string): string {
  return `it has the engine identity of ${label}; it is that engine under another name, or its machine was copied from the same image (then delete /var/lib/docker/engine-id on the copy and restart Docker)`
}
