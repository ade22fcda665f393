// MIG slices as cards of their own: their uuid and profile are only in `nvidia-smi -L`, all else is in the report. The card itself cannot be attached then.
import { isFit, withMigNames, type ListedGpu, type MigDevice, type NvidiaGpu, type NvidiaProcess } from '@runyard/nvidia-smi-parser'
import type { CardUse, Gpu } from '@runyard/schema'

export interface Slice {
  readonly gpu: Gpu
  readonly use: CardUse
}

/** Equal for reports with the same slices, so that the list of names is asked for once. */
export function layoutOf(gpus: readonly NvidiaGpu[]): string {
  return JSON.stringify(
    gpus.flatMap(({ uuid, migDevices }) =>
      migDevices.map(({ index, gpuInstanceId, computeInstanceId, memoryTotalBytes }) => [
        uuid,
        index,
        gpuInstanceId,
        computeInstanceId,
        memoryTotalBytes,
      ]),
    ),
  )
}

interface SliceParts {
  /** Of the whole card. */
  readonly facts: Omit<Gpu, 'uuid' | 'name' | 'memoryBytes'>
  readonly toUse: (processes: readonly NvidiaProcess[], usedBytes: number | null) => CardUse
}

/** Named as Runpod names them (management §12): the card, ` MIG `, the profile. Slices without a name yet are left out. */
export function slicesOf(gpu: NvidiaGpu, list: readonly ListedGpu[], { facts, toUse }: SliceParts): readonly Slice[] {
  const { uuid: parent, productName, migDevices } = withMigNames(gpu, list)
  return migDevices.flatMap((device) => {
    const { uuid, profile, memoryTotalBytes } = device
    if (uuid === null || parent === null) return []
    const own = { uuid, name: `${productName ?? 'unknown'} MIG ${profile ?? 'unknown'}`, memoryBytes: memoryTotalBytes ?? 0, parent }
    const use = toUse(gpu.processes.filter(isIn(device)), sharesMemory(device, migDevices) ? null : device.memoryUsedBytes)
    return [{ gpu: { ...facts, ...own, ...(isFit(gpu) ? faultOf(device) : {}) }, use }]
  })
}

function faultOf({ volatileUncorrectableEccErrors: errors }: MigDevice): Partial<Gpu> {
  if (errors === null || errors === 0) return {}
  const fault = `${errors} uncorrectable memory error(s) in the slice since the driver was loaded`
  return { healthy: false, fault, faultKind: 'reset' }
}

const isIn =
  ({ gpuInstanceId, computeInstanceId }: MigDevice) =>
  (process: NvidiaProcess): boolean =>
    process.gpuInstanceId === gpuInstanceId && process.computeInstanceId === computeInstanceId

/** Compute instances of one GPU instance show the same numbers. */
function sharesMemory(device: MigDevice, all: readonly MigDevice[]): boolean {
  return all.some((other) => other !== device && other.gpuInstanceId === device.gpuInstanceId)
}
