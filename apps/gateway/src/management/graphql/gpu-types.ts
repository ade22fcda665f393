// `gpuTypes`: the whole catalogue without an id, or the stock of any id that a waiting client asks for (flash-api §3).
import { makerOf, type GpuCatalogue, type GpuType } from '@runyard/core'
import type { IdFilter } from './inputs.ts'

/** An `id` that the catalogue does not have is answered with none, which `runpod.get_gpu` turns into its own error (management §4.2). */
export function gpuTypes(catalogue: GpuCatalogue, { id, ids }: IdFilter): readonly Record<string, unknown>[] {
  if (ids != null) return ids.filter((each) => each != null).map((each) => stockReply(catalogue, each))
  return catalogue.types.filter((type) => id == null || type === catalogue.find(id)).map(toReply)
}

/** Pools, too, are asked for. */
function stockReply(catalogue: GpuCatalogue, id: string): Record<string, unknown> {
  const type = catalogue.find(id)
  return type === undefined ? { id, displayName: id } : toReply(type)
}

function toReply({ id, displayName, memoryGb, maxCount }: GpuType): Record<string, unknown> {
  return {
    id,
    displayName,
    memoryInGb: memoryGb,
    manufacturer: makerOf(id),
    maxGpuCount: maxCount,
    secureCloud: true,
    communityCloud: false,
  }
}
