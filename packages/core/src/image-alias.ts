// Which image a worker really runs, and how calls reach the user's code in it. Runpod images that only contain Runpod's worker are replaced
// by ours (flash-api §7.8); any other image speaks the worker protocol itself.

export type Envelope = 'flash' | 'json'

export interface ImageChoice {
  readonly image: string
  /** How our agent calls its runner; null if the image has its own handler. */
  readonly envelope: Envelope | null
  /** Start our agent as the entrypoint. */
  readonly withAgent: boolean
}

export interface ImageDefaults {
  readonly defaultImage: string
  /** Image name as clients send it (no tag) → the operator's image. */
  readonly imageAliases: Readonly<Record<string, string>>
}

/** `runpod/flash*` → Flash's envelope, `runpod/queue*` → JSON (sdk2-api §5), both on the default image unless the operator aliases them. */
export function resolveImage(image: string, defaults: ImageDefaults): ImageChoice {
  const name = withoutTag(image)
  const alias = defaults.imageAliases[name] ?? defaults.imageAliases[image]
  const envelope = envelopeOf(image)
  if (envelope === null) return { image: alias ?? image, envelope, withAgent: false }
  return { image: alias ?? defaults.defaultImage, envelope, withAgent: true }
}

/** True if the image has its own handler, so that only a container can run it. */
export function needsContainer(image: string): boolean {
  return envelopeOf(image) === null
}

/** The envelope of Runpod's worker image with this name; null for any other image. */
export function envelopeOf(image: string): Envelope | null {
  const bare = withoutTag(image).replace(/^(index\.)?docker\.io\//, '')
  if (/^runpod\/flash(-[a-z-]+)?$/.test(bare)) return 'flash'
  if (/^runpod\/queue(-[a-z-]+)?$/.test(bare)) return 'json'
  return null
}

/** A colon after the last slash starts the tag; one before it belongs to a port. */
function withoutTag(image: string): string {
  const [reference = image] = image.split('@')
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference
}
