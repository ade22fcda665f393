// Images on an engine: checks whether they are present, and pulls them with progress. A refused pull is `forbidden`, any other failure is
// `not_found`; the caller throttles the endpoint and reports the sentence.
import { RunyardError, type HeldImage, type PullOptions } from '@runyard/schema'
import type Docker from 'dockerode'
import { messageOf, statusOf } from './docker-errors.ts'

export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return (await findImage(docker, image)) !== undefined
}

export async function findImage(docker: Docker, image: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(toPath(image)).inspect()
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** `name@sha256:…`, as its registry gave it; undefined for an image that was made here. */
export async function digestOf(docker: Docker, image: string): Promise<string | undefined> {
  if (image.includes('@')) return image
  const name = image.replace(/:[^:/]+$/, '')
  return (await findImage(docker, image))?.RepoDigests?.find((digest) => digest.startsWith(`${name}@`))
}

/** dockerode pastes it into the address of a request: nothing of it may be read as more than a name. */
function toPath(image: string): string {
  return image
    .split('/')
    .map((segment) => encodeURIComponent(segment).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E')))
    .join('/')
}

/** Without a tag Docker would pull every tag there is. */
export function withTag(image: string): string {
  return /[:@][^/]+$/.test(image) ? image : `${image}:latest`
}

/** The credentials go to the engine with this one request; it keeps none. */
export async function pullImage(docker: Docker, image: string, { credentials, onProgress, signal }: PullOptions): Promise<void> {
  try {
    const stream = await startPull(docker, withTag(image), { credentials, signal })
    await followProgress(docker, stream, onProgress)
  } catch (error) {
    if (statusOf(error) === undefined && error instanceof Error && 'code' in error && error.code !== undefined) throw error
    throw toPullError(error, image, { credentials, signal })
  }
}

/** As an argument of its own: what is among the options goes into the address, which engines log. */
function startPull(docker: Docker, image: string, { credentials, signal }: Pick<PullOptions, 'credentials' | 'signal'>) {
  if (credentials === undefined) return docker.pull(image, { abortSignal: signal })
  const { username, password } = credentials
  return docker.createImage({ username, password }, { fromImage: image, abortSignal: signal })
}

/** No registry has it: it is built where Runyard starts. */
export const WORKER_IMAGE = 'runyard/worker:latest'

/** As registries and engines say it. */
const REFUSAL = /no basic auth credentials|unauthorized|authentication required|\bdenied\b|forbidden/i
/** Docker Hub does not say which of the two it is. */
const EITHER = /does not exist or may require/i

function toPullError(error: unknown, image: string, { credentials, signal }: Pick<PullOptions, 'credentials' | 'signal'>): RunyardError {
  const why = signal.aborted ? 'the pull was stopped' : messageOf(error)
  if (image === WORKER_IMAGE) {
    const sentence = `The image ${image} is not on this host any more, and no registry has it: stop Runyard and start it again, which builds it.`
    return new RunyardError('not_found', sentence, { cause: error, fault: 'image' })
  }
  if (!REFUSAL.test(why))
    return new RunyardError('not_found', `The image ${image} is not on this host and cannot be pulled: ${why}.`, {
      cause: error,
      fault: 'image',
    })
  const refused =
    credentials === undefined
      ? `its registry ${EITHER.test(why) ? 'has no such image, or asks for credentials' : 'asks for credentials'} (${why}): save them with "runyard registries add" and name them in the endpoint`
      : `its registry refuses the credentials "${credentials.name}" (${why}): mend them with "runyard registries update"`
  return new RunyardError('forbidden', `The image ${image} is not on this host, and ${refused}.`, { cause: error, fault: 'image' })
}

interface ProgressMessage {
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly progress?: string
  /** The last message of what failed; its answer was 200 all the same. */
  readonly error?: string
}

/** Reads a pull's, build's or import's answer to its end; @throws what the engine reports in it. */
export function followProgress(docker: Docker, stream: NodeJS.ReadableStream, onProgress: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    docker.modem.followProgress(
      stream,
      (error: Error | null) => {
        failure ??= error ?? undefined
        if (failure === undefined) resolve()
        else reject(failure)
      },
      (message: ProgressMessage) => {
        if (message.error !== undefined) failure = new Error(message.error)
        for (const line of toLines(message)) onProgress(line)
      },
    )
  })
}

function toLines({ stream, status, id, progress }: ProgressMessage): readonly string[] {
  if (stream !== undefined) return stream.split('\n').filter((line) => line.trim() !== '')
  return status === undefined ? [] : [[id, status, progress].filter((part) => part !== undefined && part !== '').join(' ')]
}

/** Looked up one by one, because engines list names in another form than the one that was asked for. */
export async function heldImages(docker: Docker, names: readonly string[]): Promise<readonly HeldImage[]> {
  const containers = await docker.listContainers({ all: true })
  const used = new Set(containers.map(({ ImageID }) => ImageID))
  const found = await Promise.all(names.map(async (name) => ({ name, image: await findImage(docker, name) })))
  return found.flatMap(({ name, image }) =>
    image === undefined ? [] : [{ name, imageId: image.Id, bytes: image.Size, isUsed: used.has(image.Id) }],
  )
}

/** Without force: an engine keeps what a container is made of. */
export async function removeImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(toPath(withTag(name))).remove()
    return true
  } catch (error) {
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
    return false
  }
}

/** Removes images with this label that a newer one of the same name has replaced; one that is in use stays. `olderThan` as in "1h". */
export async function pruneReplaced(docker: Docker, label: string, olderThan?: string): Promise<void> {
  const until = olderThan === undefined ? {} : { until: [olderThan] }
  try {
    await docker.pruneImages({ filters: { dangling: ['true'], label: [label], ...until } })
  } catch (error) {
    // Another process is pruning; the next prune removes the rest.
    if (statusOf(error) !== 409) throw error
  }
}
