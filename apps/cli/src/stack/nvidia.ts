// Checks for a real NVIDIA GPU that can be assigned to workers.
import { readGpuInventory } from '@runyard/host-gpus'

export async function hasNvidiaGpu(): Promise<boolean> {
  const { gpus } = await readGpuInventory()
  return gpus.some(({ healthy }) => healthy)
}
