// Names of cards, and `nvidia-smi -L`, the only place that names MIG slices.
import type { MigDevice, NvidiaGpu } from './report.ts'

/** One card of `nvidia-smi -L` with its MIG slices. */
export interface ListedGpu {
  readonly index: number
  readonly name: string
  readonly uuid: string
  readonly migDevices: readonly ListedMigDevice[]
}

export interface ListedMigDevice {
  readonly index: number
  /** `3g.40gb`; `1c.3g.40gb` for a part of a GPU instance; may end in `+me` or `+gfx`. */
  readonly profile: string
  readonly uuid: string
}

const GPU_LINE = /^GPU (?<index>\d+): (?<name>.+?) \(UUID: (?<uuid>GPU-[^)\s]+)\)\s*$/
const MIG_LINE = /^\s+MIG (?<profile>\S+)\s+Device\s+(?<index>\d+): \(UUID: (?<uuid>MIG-[^)\s]+)\)\s*$/

/** Parses `nvidia-smi -L`. Lines of another form are skipped. */
export function parseGpuList(output: string): readonly ListedGpu[] {
  const gpus: (ListedGpu & { readonly migDevices: ListedMigDevice[] })[] = []
  for (const line of output.split('\n')) {
    const gpu = GPU_LINE.exec(line)?.groups
    if (gpu !== undefined) gpus.push({ index: Number(gpu.index), name: gpu.name ?? '', uuid: gpu.uuid ?? '', migDevices: [] })
    const slice = MIG_LINE.exec(line)?.groups
    if (slice !== undefined) gpus.at(-1)?.migDevices.push(toSlice(slice))
  }
  return gpus
}

const toSlice = ({ index, profile = '', uuid = '' }: Readonly<Record<string, string>>): ListedMigDevice => ({
  index: Number(index),
  profile,
  uuid,
})

/** The card with uuid and profile of its slices, joined by the card's uuid and the slice's index. Slices that the list lacks keep null. */
export function withMigNames(gpu: NvidiaGpu, list: readonly ListedGpu[]): NvidiaGpu {
  const listed = list.find(({ uuid }) => uuid === gpu.uuid)?.migDevices ?? []
  const named = gpu.migDevices.map((device): MigDevice => {
    const found = listed.find(({ index }) => index === device.index)
    return found === undefined ? device : { ...device, uuid: found.uuid, profile: found.profile }
  })
  return { ...gpu, migDevices: named }
}

/** A name for comparing: `GeForce RTX 3090` for that card by any driver. Drivers before 470 leave out the leading `NVIDIA `. */
export const toModelName = (productName: string): string => productName.trim().replace(/^NVIDIA\s+/i, '')
