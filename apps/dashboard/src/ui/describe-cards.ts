import type { WorkerLifeView } from '@runyard/schema/api'

/** `2 × NVIDIA GeForce RTX 4090 (simulated)`. */
export function describeCards({ gpus }: Pick<WorkerLifeView, 'gpus'>): string {
  const kinds = Map.groupBy(gpus, ({ name, simulated }) => `${name}${simulated ? ' (simulated)' : ''}`)
  const words = [...kinds].map(([name, all]) => (all.length === 1 ? name : `${all.length} × ${name}`))
  return words.length === 0 ? 'no GPU' : words.join(', ')
}
