// The images of workers. `imageProblem` checks which texts name an image: the grammar of the distribution project, `[domain/]path[:tag][@digest]`
// (https://pkg.go.dev/github.com/distribution/reference). Anything else that an engine accepts as an image is rejected: an engine resolves the
// prefix of an image id, which would run images of other owners. `resolveImage` decides which image a worker really runs, and how calls reach the
// user's code in it: Runpod images that only contain Runpod's worker are replaced by ours (flash-api §7.8); any other image speaks the worker
// protocol itself.
import { quoted, type Endpoint, type EndpointSpec } from '@runyard/schema'

/** Of the reference without tag and digest. */
const LONGEST_NAME = 255

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = new RegExp(String.raw`^(?:${LABEL}(?:\.${LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?$`, 'u')
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/u
const TAG = /^\w[\w.-]{0,127}$/u
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}$/u
/** Longest name, tag and digest together. */
const LONGEST_REFERENCE = 600

/** What is wrong with it, as one sentence; undefined: it names an image. */
export function imageProblem(image: string): string | undefined {
  const why = faultOf(image)
  return why === undefined ? undefined : `${quoted(image)} is not the name of a container image: ${why}.`
}

function faultOf(image: string): string | undefined {
  if (image.length > LONGEST_REFERENCE) return 'it is too long'
  if (/\s/u.test(image)) return 'it contains white space'
  if (/^sha256:/iu.test(image)) return 'it is the id of an image; name its repository, as in name@sha256:…'
  if (/^[0-9a-f]+$/iu.test(image)) return `an engine would read it as the beginning of an image’s id; write ${image.toLowerCase()}:latest`
  const { name, tag, digest } = split(image)
  if (digest !== undefined && !DIGEST.test(digest)) return 'what follows the @ is not a digest, which looks like sha256:…'
  if (tag !== undefined && !TAG.test(tag)) return 'its tag may have letters, digits, "_", "." and "-" only, 128 at most'
  return nameFault(name)
}

function nameFault(name: string): string | undefined {
  if (name.length > LONGEST_NAME) return `its name has more than ${LONGEST_NAME} characters`
  const [first = '', ...rest] = name.split('/')
  const hasDomain = rest.length > 0 && (/[.:[]/u.test(first) || first === 'localhost')
  if (hasDomain && !DOMAIN.test(first)) return `${quoted(first)} is not the address of a registry`
  const wrong = (hasDomain ? rest : [first, ...rest]).find((component) => !COMPONENT.test(component))
  if (wrong === undefined) return undefined
  if (wrong !== wrong.toLowerCase()) return 'it must be in lower case'
  return 'it looks like [registry/]name[:tag][@digest], with letters, digits and single ".", "_", "-" between them'
}

/** A colon after the last slash starts the tag; an earlier one belongs to a port. */
function split(image: string): { readonly name: string; readonly tag: string | undefined; readonly digest: string | undefined } {
  const at = image.indexOf('@')
  const tagged = at === -1 ? image : image.slice(0, at)
  const digest = at === -1 ? undefined : image.slice(at + 1)
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1)
  return colon === -1 ? { name: tagged, tag: undefined, digest } : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest }
}

export type Envelope = 'flash' | 'json' | 'task' | 'deployed-flash' | 'deployed-sdk2'

export interface ImageChoice {
  readonly image: string
  /** How our agent calls its runner; null if the image has its own handler. */
  readonly envelope: Envelope | null
  /** Start our agent as the entrypoint. */
  readonly withAgent: boolean
}

export interface ImageDefaults {
  readonly defaultImage: string
  /** For some of the images that ours stand in for: `gpu`, `cpu`, `py3.12`, `gpu-py3.12` → the operator's image. */
  readonly defaultImages?: Readonly<Record<string, string>>
  /** Image name as clients send it (no tag) → the operator's image. */
  readonly imageAliases: Readonly<Record<string, string>>
}

/** How a worker starts: with our agent or not, and what the agent starts in it. */
export interface StartChoice extends ImageChoice {
  /** The image's own command, which is an HTTP server (ADR 77). */
  readonly servesImage: boolean
  /** Our runner, which calls the user's code. */
  readonly hasRunner: boolean
}

type Started = Pick<Endpoint, 'type'> & { readonly spec: Pick<EndpointSpec, 'image' | 'env'> }

/**
 * Requests reach a load-balanced worker by our agent alone, so it runs in every image of one (ADR 69), and starts the image's own server there. It starts
 * our runner where an image of SDK 2's user only brings packages along (`image=`): the SDK's launcher would install a runtime that no index has
 * (production §2.2). `ofApp`: the envelope of the endpoint's build.
 */
export function resolveStart({ type, spec: { image, env } }: Started, defaults: ImageDefaults, ofApp?: Envelope): StartChoice {
  const choice = resolveImage(image, defaults)
  const hasRunner = choice.withAgent || 'RUNPOD_RUNTIME_KIND' in env
  const servesImage = type === 'LOAD_BALANCER' && !hasRunner
  const envelope = hasRunner ? (ofApp ?? choice.envelope ?? 'json') : null
  return { image: choice.image, envelope, withAgent: hasRunner || servesImage, servesImage, hasRunner }
}

/** `runpod/flash*` → Flash's envelope, `runpod/queue*` → JSON (sdk2-api §5), both on the default image unless the operator aliases them. */
export function resolveImage(image: string, defaults: ImageDefaults): ImageChoice {
  const { name, tag } = split(image)
  const alias = defaults.imageAliases[name] ?? defaults.imageAliases[image]
  const envelope = envelopeOf(image)
  if (envelope === null) return { image: alias ?? image, envelope, withAgent: false }
  return { image: alias ?? standIn(name, tag, defaults), envelope, withAgent: true }
}

/** The most specific one: Flash's GPU image has no ending and its CPU image has one, and the SDK 2.0 names them the other way round (sdk2-api §3.4). */
function standIn(name: string, tag = '', { defaultImage, defaultImages = {} }: ImageDefaults): string {
  const hardware = CPU_IMAGE.test(name) ? 'cpu' : 'gpu'
  const [python] = /^py3\.\d+/.exec(tag) ?? ['']
  const keys = [`${hardware}-${python}`, python, hardware]
  return keys.map((key) => defaultImages[key]).find((image) => image !== undefined) ?? defaultImage
}

const CPU_IMAGE = /(?:-cpu|\/queue|\/api|\/task)$/u

/** True if the image has its own handler, so that only a container can run it. */
export function needsContainer(image: string): boolean {
  return envelopeOf(image) === null
}

/** The envelope of Runpod's worker image with this name; null for any other image. */
export function envelopeOf(image: string): Envelope | null {
  const bare = split(image).name.replace(/^(index\.)?docker\.io\//, '')
  if (/^runpod\/flash(-[a-z-]+)?$/.test(bare)) return 'flash'
  if (/^runpod\/(queue|api)(-[a-z-]+)?$/.test(bare)) return 'json'
  if (/^runpod\/task(-[a-z-]+)?$/.test(bare)) return 'task'
  return null
}
