// How many CPUs a worker gets. CPU instance ids (flash-api §9.2): `cpu{generation}-{vcpu}-{ramGB}`; the id contains its size, so any size is accepted. GPU
// workers share by weight.
import { RunyardError, type HostInventory } from '@runyard/schema'

export interface CpuSize {
  readonly instanceId: string
  readonly cpus: number
  readonly memoryBytes: number
}

const INSTANCE_ID = /^cpu[0-9][a-z]-([0-9]{1,3})-([0-9]{1,4})$/

/** @throws RunyardError('bad_request') with one sentence. GB are 10^9 bytes, so that an "8 GB" machine can hold an 8 GB worker. */
export function parseCpuInstanceId(instanceId: string): CpuSize {
  const match = INSTANCE_ID.exec(instanceId)
  const cpus = Number(match?.[1])
  const memoryGb = Number(match?.[2])
  if (!(cpus > 0 && memoryGb > 0)) {
    throw new RunyardError('bad_request', `Invalid CPU instance id: "${instanceId}"; it is written like cpu3g-2-8 (2 vCPU, 8 GB)`)
  }
  return { instanceId, cpus, memoryBytes: memoryGb * 1e9 }
}

/** GB of memory per vCPU of the flavors that clients know (flash-api §9.2, management §2.1). */
export const CPU_FLAVORS: Readonly<Record<string, number>> = { cpu3c: 2, cpu3g: 4, cpu5c: 2, cpu5g: 4 }

/** GB of memory per vCPU by the last letter of a CPU flavor: general purpose, compute, memory (flash-api §9.2). */
const MEMORY_PER_VCPU: Readonly<Record<string, number>> = { g: 4, c: 2, m: 8 }

/** `cpu3g` with 2 vCPU → `cpu3g-2-8`. */
export function cpuInstanceId(flavor: string, vcpus: number, memoryGb = vcpus * (MEMORY_PER_VCPU[flavor.slice(-1)] ?? 2)): string {
  return `${flavor}-${vcpus}-${memoryGb}`
}

/** Sizes in the given order of preference; placement takes the first that fits a host. @throws as `parseCpuInstanceId`. */
export function resolveCpu(instanceIds: readonly string[]): readonly CpuSize[] {
  return instanceIds.map(parseCpuInstanceId)
}

/** Docker's default weight of a container, which CPU workers have. */
const CPU_SHARES = 1024
const LEAST_CPU_SHARES = 2
const MOST_CPU_SHARES = 262_144

/**
 * The CPU weight of a GPU worker, in proportion to its share of the host's GPUs. It is a weight and not a quota, so that every worker can use
 * idle CPUs. Undefined for a worker without GPUs.
 */
export function cpuSharesOf(cards: number, host: Pick<HostInventory, 'cpuCount' | 'gpus'>): number | undefined {
  if (cards === 0 || host.gpus.length === 0) return undefined
  const shares = Math.round((CPU_SHARES * host.cpuCount * cards) / host.gpus.length)
  return Math.min(MOST_CPU_SHARES, Math.max(LEAST_CPU_SHARES, shares))
}
