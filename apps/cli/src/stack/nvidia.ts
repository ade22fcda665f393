// Is there a real NVIDIA GPU that work can be given to?
import { readGpuInventory } from '@runyard/host-gpus'

export async function hasNvidiaGpu(): Promise<boolean> {
  const { gpus } = await readGpuInventory()
  return gpus.some(({ healthy }) => healthy)
}
