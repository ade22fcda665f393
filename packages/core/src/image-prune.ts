// Which pulled images a host may lose again (ADR 59). Only images that Runyard pulled are ever candidates, and only while no container and no endpoint uses
// them. Failure direction: an image of which anything is unclear stays.
import type { HeldImage, PulledImage } from '@runyard/schema'

export interface ImageLook {
  /** What Runyard pulled onto the host. */
  readonly pulled: readonly PulledImage[]
  /** What is there under these names. */
  readonly held: readonly HeldImage[]
  /** Images that endpoints need. */
  readonly named: ReadonlySet<string>
  readonly keepMs: number
  /** How much unused images may take together. */
  readonly keepBytes: number
  /** How much has to be freed for the disk. */
  readonly needBytes: number
  readonly now: number
}

export interface Removal {
  readonly name: string
  readonly bytes: number
  /** `age`: unused for too long; `size`: unused images take too much; `disk`: the disk is nearly full. */
  readonly why: 'age' | 'size' | 'disk'
}

export interface ImageVerdict {
  /** The records as they are now, those to be removed included. */
  readonly pulled: readonly PulledImage[]
  readonly remove: readonly Removal[]
}

export function judgeImages(look: ImageLook): ImageVerdict {
  const pulled = look.pulled.flatMap((record) => {
    const held = look.held.find(({ name }) => name === record.name)
    // Someone else has removed it, or put another image under its name: then it is theirs.
    if (held === undefined || held.imageId !== record.imageId) return []
    return [{ record: isUsed(held, look) ? { ...record, usedAt: look.now } : record, held }]
  })
  const unused = pulled.filter(({ held }) => !isUsed(held, look)).toSorted((a, b) => a.record.usedAt - b.record.usedAt)
  const old = unused.filter(({ record }) => look.now - record.usedAt >= look.keepMs).map(({ held }) => removal(held, 'age'))
  const young = unused.filter(({ record }) => look.now - record.usedAt < look.keepMs).map(({ held }) => held)
  const excess = firstWithSum(young, sumOf(young) - look.keepBytes)
  const rest = young.slice(excess.length)
  const freed = sumOf(old) + sumOf(excess)
  const forDisk = firstWithSum(rest, look.needBytes - freed)
  const remove = [...old, ...excess.map((held) => removal(held, 'size')), ...forDisk.map((held) => removal(held, 'disk'))]
  return { pulled: pulled.map(({ record }) => record), remove }
}

function isUsed({ isUsed: byContainer, name }: HeldImage, { named }: ImageLook): boolean {
  return byContainer || named.has(name)
}

function removal({ name, bytes }: HeldImage, why: Removal['why']): Removal {
  return { name, bytes, why }
}

function sumOf(images: readonly { readonly bytes: number }[]): number {
  return images.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** As many of the first ones as together reach the size; all if they do not reach it. */
function firstWithSum(images: readonly HeldImage[], bytes: number): readonly HeldImage[] {
  let sum = 0
  return images.filter((image) => {
    if (sum >= bytes) return false
    sum += image.bytes
    return true
  })
}
