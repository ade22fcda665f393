// Describes the GPUs that this stack can assign to workers: those of the machine, and simulated ones.
import { parseSimulatedGpus } from '@runyard/core'
import { readGpuInventory } from '@runyard/host-gpus'

/** @throws RunyardError if the setting is invalid. */
export async function describeGpus(simulated: string | undefined): Promise<string> {
  const { gpus, warnings } = await readGpuInventory()
  return wordsFor({ real: gpus, simulated: parseSimulatedGpus(simulated), warnings })
}

interface Cards {
  readonly real: readonly { readonly name: string; readonly healthy: boolean; readonly fault?: string | undefined }[]
  readonly simulated: readonly { readonly name: string; readonly count: number }[]
  readonly warnings: readonly string[]
}

export function wordsFor({ real, simulated, warnings }: Cards): string {
  const counts = new Map<string, number>()
  for (const { name, healthy } of real) if (healthy) counts.set(name, (counts.get(name) ?? 0) + 1)
  const usable = [...counts].map(([name, count]) => times(count, name))
  const faulty = real.filter(({ healthy }) => !healthy).map(({ name, fault }) => `${name} not usable: ${fault ?? 'unknown fault'}`)
  const declared = simulated.map(({ name, count }) => times(count, name))
  const found = usable.length === 0 ? 'no NVIDIA card' : usable.join(', ')
  const pretended = declared.length === 0 ? [] : [`simulated: ${declared.join(', ')}`]
  return [found, ...pretended, ...faulty, ...warnings].join('; ')
}

function times(count: number, name: string): string {
  return count === 1 ? name : `${count} × ${name}`
}

/** True if there is a real NVIDIA GPU that can be assigned to workers. */
export async function hasNvidiaGpu(): Promise<boolean> {
  const { gpus } = await readGpuInventory()
  return gpus.some(({ healthy }) => healthy)
}
