// Simulated GPUs for a machine without real ones (ADR 10): they take part in inventory, placement and billing; no device is attached.
import { RunyardError, SIMULATED_UUID, SimulatedGpusText, type Gpu, type HostInventory } from '@runyard/schema'
import { memoryGbOf, normalizeGpuName, type GpuCatalogue } from './gpu-catalogue.ts'

export interface SimulatedGpus {
  readonly name: string
  readonly count: number
}

/** `NVIDIA GeForce RTX 4090:2,NVIDIA L4` → two GPUs and one GPU. @throws RunyardError('bad_request') with one sentence. */
export function parseSimulatedGpus(text = ''): readonly SimulatedGpus[] {
  const parsed = SimulatedGpusText.safeParse(text)
  if (!parsed.success) throw new RunyardError('bad_request', `${parsed.error.issues[0]?.message}; "${text}" is not.`)
  return text
    .split(',')
    .map(normalizeGpuName)
    .filter((item) => item !== '')
    .map((item) => {
      const [name = '', count = '1'] = item.split(':')
      return { name: name.trim(), count: Number(count) }
    })
}

/** The inventory with the simulated GPUs after the real ones. Their ids are the same on every call. */
export function withSimulatedGpus(inventory: HostInventory, declared: readonly SimulatedGpus[], catalogue: GpuCatalogue): HostInventory {
  const names = declared.flatMap(({ name, count }) => Array.from({ length: count }, () => name))
  const simulated = names.map((name, index): Gpu => ({
    uuid: `${SIMULATED_UUID}${inventory.hostId}-${index}`,
    name,
    memoryBytes: memoryGbOf(catalogue, name) * 1024 ** 3,
    simulated: true,
    healthy: true,
  }))
  return { ...inventory, gpus: [...inventory.gpus.filter((gpu) => !gpu.simulated), ...simulated] }
}
