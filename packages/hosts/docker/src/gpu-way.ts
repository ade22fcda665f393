// How an engine hands GPUs to containers: by NVIDIA's hook or runtime (`nvidia`), or by the names of a CDI specification. An engine that knows both gets the
// first: from 29.2 on it serves such a request by CDI itself. Failure direction: where neither shows, the engine refuses the request with a sentence.
import { findOnPath } from '@runyard/kit'
import type Docker from 'dockerode'
import { isLocal, type Engine } from './engine.ts'

export const GPU_HOOK = 'nvidia-container-runtime-hook'
const CDI_NAME = 'nvidia.com/gpu'

export type GpuWay = 'nvidia' | 'cdi'

export interface GpuFacts {
  readonly Runtimes?: Readonly<Record<string, unknown>>
  /** Directories of specifications, which may be empty. */
  readonly CDISpecDirs?: readonly string[] | null
  /** What the specifications name; engines before 28.3 do not say. */
  readonly DiscoveredDevices?: readonly { readonly Source?: string; readonly ID?: string }[] | null
}

/** `hook`: NVIDIA's hook is known to be there. */
export function gpuWayOf(facts: GpuFacts, hook: boolean): GpuWay {
  return 'nvidia' in (facts.Runtimes ?? {}) || hook || !offersCdi(facts) ? 'nvidia' : 'cdi'
}

export function offersCdi({ CDISpecDirs, DiscoveredDevices }: GpuFacts): boolean {
  if (DiscoveredDevices == null) return (CDISpecDirs ?? []).length > 0
  return DiscoveredDevices.some(({ ID = '' }) => ID.startsWith(`${CDI_NAME}=`))
}

/** The hook is looked for where this process runs: nothing shows whether another machine has it. */
export async function readGpuWay(engine: Engine, docker: Docker, env = process.env): Promise<GpuWay> {
  const facts = (await docker.info()) as GpuFacts
  return gpuWayOf(facts, isLocal(engine) && (await findOnPath(GPU_HOOK, env)) !== undefined)
}

/** By UUID, of whole cards or of slices. */
export function gpuRequest(
  way: GpuWay | undefined,
  uuids: readonly string[],
  capabilities: readonly string[] = ['gpu'],
): Docker.DeviceRequest {
  return way === 'cdi'
    ? { Driver: 'cdi', DeviceIDs: uuids.map((uuid) => `${CDI_NAME}=${uuid}`) }
    : { Driver: 'nvidia', DeviceIDs: [...uuids], Capabilities: [[...capabilities]] }
}
