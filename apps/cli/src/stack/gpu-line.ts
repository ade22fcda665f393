// Describes the GPUs that this stack can assign to workers: those of the machine, and simulated ones.
import { createGpuCatalogue, parseSimulatedGpus } from '@runyard/core'
import { readGpuInventory } from '@runyard/host-gpus'
import { closestWord } from '@runyard/kit'
import type { Config } from '@runyard/schema'

type CardSettings = Pick<Config, 'simulatedGpus' | 'gpuTypes' | 'hosts'>

/** @throws RunyardError if the setting is invalid. */
export async function describeGpus(config: CardSettings): Promise<string> {
  const { gpus, warnings } = await readGpuInventory()
  const simulated = parseSimulatedGpus(config.simulatedGpus)
  return wordsFor({ real: gpus, simulated, warnings: [...warnings, ...findUnknownCards(config)] })
}

/** A sentence for each simulated card of no known type, which is probably misspelt (ADR 10). */
export function findUnknownCards({ simulatedGpus, gpuTypes, hosts = [] }: CardSettings): readonly string[] {
  const catalogue = createGpuCatalogue(gpuTypes)
  const texts = [simulatedGpus, ...hosts.map((host) => host.simulatedGpus)]
  const names = new Set(texts.flatMap((text) => parseSimulatedGpus(text)).map(({ name }) => name))
  return [...names]
    .filter((name) => catalogue.find(name) === undefined)
    .map((name) => {
      const known = catalogue.types.flatMap(({ id, displayName }) => [id, displayName])
      const near = closestWord(name, known, Math.ceil(name.length / 3))
      const hint = near === undefined ? '' : `; did you mean "${near}"?`
      return `"${name}" is no known GPU type: endpoints get it only by that name or by "any"${hint}`
    })
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
