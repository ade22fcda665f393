// The default worker image, built from docker/worker.Dockerfile if the tagged image has another recipe. The base comes from a registry if one answers,
// otherwise from debootstrap. Works with the classic builder (engine 20.10), which has no secrets: files that name an index are used in a separate
// stage, whose images are removed after the build.
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError, type ErrorCode } from '@runyard/schema'
import type Docker from 'dockerode'
import { bootstrapBaseImage } from './base-image.ts'
import { messageOf } from './docker-errors.ts'
import { onEngine, type Engine } from './engine.ts'
import { WORKER_IMAGE, digestOf, findImage, followProgress, hasImage, pruneReplaced, pullImage } from './images.ts'
import { pipConfig, type Environment } from './package-settings.ts'
import { tarOf } from './tar.ts'

const RECIPE_LABEL = 'runyard.recipe'
/** What it was made on: a name with the digest that its registry gave, or an image of this machine. */
const BASE_LABEL = 'runyard.base'
/** In docker/worker.Dockerfile, with a value of each build: marks the stage that must not stay. */
const BUILD_LABEL = 'runyard.build'
/** Beside the Dockerfile, and a part of the recipe. */
const FILES = ['requirements.lock', 'flash.lock', 'missing.py'] as const
/** A registry that has not said anything by then cannot be reached. */
const REGISTRY_PATIENCE_MS = 20_000
/** Older stages belong to a build whose process was killed: a build takes minutes. */
const ABANDONED = '1h'
const STAGE_TRIES = 20
const STAGE_PAUSE_MS = 500
/** What `pullImage` throws where a registry, or a proxy on the way, does not give the image. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['not_found', 'forbidden'])
/** Passed to the build where they are set on this machine; Docker leaves these names out of every history. */
const PROXY_ARGS = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const

export interface WorkerImageOptions {
  readonly engine: Engine
  /** Path of docker/worker.Dockerfile. */
  readonly dockerfile: string
  readonly onProgress: (line: string) => void
  /** Where package settings and SSL_CERT_FILE are looked up; default: this process's environment. */
  readonly env?: Environment | undefined
  /** Overrides the base, best with a digest; default: the Dockerfile's where a registry answers, else debootstrap's. */
  readonly base?: string | undefined
  /** Its name; default: the one that endpoints get. */
  readonly image?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WorkerImage {
  readonly image: string
  /** False when an image of the same recipe was there. */
  readonly built: boolean
}

/** Makes sure that `runyard/worker:latest` is of this recipe. @throws RunyardError with the last lines of a failed build. */
export async function ensureWorkerImage(options: WorkerImageOptions): Promise<WorkerImage> {
  const { engine, dockerfile, onProgress, image = WORKER_IMAGE } = options
  const texts = await Promise.all([dockerfile, ...FILES.map((name) => join(dirname(dockerfile), name))].map((path) => readFile(path)))
  const recipe = createHash('sha256')
  for (const text of [...texts, options.base ?? '']) recipe.update(text)
  const digest = recipe.digest('hex')
  const label = await onEngine(engine, `look for the image ${image}`, async (docker) => {
    return (await findImage(docker, image))?.Config.Labels?.[RECIPE_LABEL]
  })
  if (label === digest) return { image, built: false }
  const base = await chooseBase(options, String(texts[0]))
  onProgress(`building ${image} on ${base}`)
  await onEngine(engine, `build ${image}`, (docker) => build(docker, { ...options, image, base, recipe: digest }))
  return { image, built: true }
}

async function chooseBase(options: WorkerImageOptions, dockerfile: string): Promise<string> {
  if (options.base !== undefined) return fetchBase(options, options.base)
  const usual = /^ARG BASE=(\S+)$/m.exec(dockerfile)?.[1]
  if (usual === undefined) throw new RunyardError('internal', `${options.dockerfile} names no base: a line "ARG BASE=…" is missing.`)
  return (await registryBase(options, usual)) ?? (await bootstrapBaseImage(options))
}

/** With a digest the engine checks what the registry sends. Without one this reports the digest, so that it can be configured. */
async function fetchBase({ engine, onProgress, signal = new AbortController().signal }: WorkerImageOptions, base: string): Promise<string> {
  return onEngine(engine, `pull ${base}`, async (docker) => {
    if (!(await hasImage(docker, base))) {
      onProgress(`pulling ${base}`)
      await pullImage(docker, base, { onProgress, signal })
    }
    const pinned = await digestOf(docker, base)
    if (!base.includes('@') && pinned !== undefined) onProgress(`${base} is ${pinned} today: to keep it, set defaultImageBase to that`)
    return base
  })
}

/** Undefined where no registry answers in time. */
async function registryBase(options: WorkerImageOptions, base: string): Promise<string | undefined> {
  const { onProgress, signal } = options
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), REGISTRY_PATIENCE_MS)
  const heard = (line: string): void => {
    if (line !== `pulling ${base}`) clearTimeout(timer)
    onProgress(line)
  }
  const stop = signal === undefined ? patience.signal : AbortSignal.any([patience.signal, signal])
  try {
    return await fetchBase({ ...options, onProgress: heard, signal: stop }, base)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof RunyardError && REFUSALS.has(error.code))) throw error
    onProgress(`no image registry answers (${messageOf(error)})`)
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

interface Build extends WorkerImageOptions {
  readonly image: string
  readonly base: string
  readonly recipe: string
}

async function build(docker: Docker, options: Build): Promise<void> {
  const { image, onProgress, env = process.env, base, recipe, signal } = options
  const id = randomUUID()
  const proxies = PROXY_ARGS.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  const last: string[] = []
  const note = (line: string): void => {
    last.push(stripColours(line))
    onProgress(stripColours(line))
  }
  await pruneReplaced(docker, BUILD_LABEL, ABANDONED)
  try {
    const stream = await docker.buildImage(await buildContext(options), {
      t: image,
      dockerfile: 'worker.Dockerfile',
      buildargs: { ...Object.fromEntries(proxies), BASE: base, BUILD: id },
      labels: { [RECIPE_LABEL]: recipe, [BASE_LABEL]: (await digestOf(docker, base)) ?? base },
      // Also after a step that fails: its container would keep the stage.
      forcerm: true,
      ...(signal === undefined ? {} : { abortSignal: signal }),
    })
    await followProgress(docker, stream, note)
    await pruneReplaced(docker, RECIPE_LABEL)
  } catch (error) {
    const lines = last.slice(-5).join(' | ')
    throw new RunyardError('internal', `Docker cannot build ${image}: ${messageOf(error)}. Its last lines: ${lines}`, {
      cause: error,
    })
  } finally {
    await removeStage(docker, id)
  }
}

/** Its layers have what names the index. Two prunes at a time are refused by the engine. */
async function removeStage(docker: Docker, id: string): Promise<void> {
  const filters = { label: [`${BUILD_LABEL}=${id}`] }
  for (let tries = 0; tries < STAGE_TRIES; tries++) {
    await pruneReplaced(docker, `${BUILD_LABEL}=${id}`)
    if ((await docker.listImages({ filters })).length === 0) return
    await sleep(STAGE_PAUSE_MS)
  }
  throw new RunyardError(
    'internal',
    `images of a build that know the package index are left: docker image prune --filter label=${BUILD_LABEL}`,
  )
}

async function buildContext({ dockerfile, env = process.env }: Build): Promise<NodeJS.ReadableStream> {
  const directory = dirname(dockerfile)
  const certificates = env['SSL_CERT_FILE']
  const bundle = certificates === undefined ? undefined : await readFile(certificates).catch(() => undefined)
  const files = [
    ['worker.Dockerfile', await readFile(dockerfile)],
    ...(await Promise.all(FILES.map(async (name) => [name, await readFile(join(directory, name))] as const))),
    ['pip.conf', pipConfig(env)],
    ['build-ca.pem', bundle],
  ] as const
  return tarOf((archive) => {
    for (const [name, content] of files) if (content !== undefined) archive.entry({ name }, content)
  })
}

/** Of terminal escape sequences, which begin with a control character. */
const stripColours = (line: string): string => line.replaceAll(new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g'), '').trimEnd()
