// The default worker image, built from docker/worker.Dockerfile when what is tagged is not of this recipe. The base comes from a registry
// where one answers, else from debootstrap. Works with the classic builder (engine 20.10). The machine's package settings go along.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { RunyardError, type ErrorCode } from '@runyard/schema'
import type Docker from 'dockerode'
import { bootstrapBaseImage } from './base-image.ts'
import { messageOf } from './docker-errors.ts'
import { onEngine } from './engine.ts'
import { findImage, followProgress, hasImage, pruneReplaced, pullImage, WORKER_IMAGE } from './images.ts'
import { tarOf } from './tar.ts'

const REGISTRY_BASE = 'python:3.12-slim'
const RECIPE_LABEL = 'runyard.recipe'
/** A registry that has not said anything by then cannot be reached. */
const REGISTRY_PATIENCE_MS = 20_000
/** What `pullImage` throws where a registry, or a proxy on the way, does not give the image. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['not_found', 'forbidden'])
/** Passed to the build where they are set on this machine. */
const BUILD_ARGS = ['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_TRUSTED_HOST', 'UV_INDEX_URL', 'UV_DEFAULT_INDEX'] as const
const PROXY_ARGS = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'] as const

export interface WorkerImageOptions {
  readonly socket: string
  /** Path of docker/worker.Dockerfile. */
  readonly dockerfile: string
  readonly onProgress: (line: string) => void
  /** Where package settings and SSL_CERT_FILE are looked up; default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Overrides the base; default: a registry's, else debootstrap's. */
  readonly base?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WorkerImage {
  readonly image: string
  /** False when an image of the same recipe was there. */
  readonly built: boolean
}

/** Makes sure that `runyard/worker:latest` is of this Dockerfile. @throws RunyardError with the last lines of a failed build. */
export async function ensureWorkerImage(options: WorkerImageOptions): Promise<WorkerImage> {
  const { socket, dockerfile, onProgress } = options
  const recipe = createHash('sha256')
    .update(await readFile(dockerfile))
    .update(options.base ?? '')
    .digest('hex')
  const label = await onEngine(socket, `look for the image ${WORKER_IMAGE}`, async (docker) => {
    return (await findImage(docker, WORKER_IMAGE))?.Config.Labels?.[RECIPE_LABEL]
  })
  if (label === recipe) return { image: WORKER_IMAGE, built: false }
  const base = options.base ?? (await registryBase(options)) ?? (await bootstrapBaseImage(options))
  onProgress(`building ${WORKER_IMAGE} on ${base}`)
  await onEngine(socket, `build ${WORKER_IMAGE}`, (docker) => build(docker, { ...options, base, recipe }))
  return { image: WORKER_IMAGE, built: true }
}

/** Undefined where no registry answers in time. */
async function registryBase({ socket, onProgress, signal }: WorkerImageOptions): Promise<string | undefined> {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), REGISTRY_PATIENCE_MS)
  const heard = (line: string): void => {
    clearTimeout(timer)
    onProgress(line)
  }
  try {
    return await onEngine(socket, `pull ${REGISTRY_BASE}`, async (docker) => {
      if (await hasImage(docker, REGISTRY_BASE)) return REGISTRY_BASE
      onProgress(`pulling ${REGISTRY_BASE}`)
      const stop = signal === undefined ? patience.signal : AbortSignal.any([patience.signal, signal])
      await pullImage(docker, REGISTRY_BASE, { onProgress: heard, signal: stop })
      return REGISTRY_BASE
    })
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
  readonly base: string
  readonly recipe: string
}

async function build(docker: Docker, { dockerfile, onProgress, env = process.env, base, recipe, signal }: Build): Promise<void> {
  const set = [...BUILD_ARGS, ...PROXY_ARGS].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
  const context = await buildContext(dockerfile, env.SSL_CERT_FILE)
  const last: string[] = []
  const note = (line: string): void => {
    last.push(stripColours(line))
    onProgress(stripColours(line))
  }
  try {
    const stream = await docker.buildImage(context, {
      t: WORKER_IMAGE,
      dockerfile: 'worker.Dockerfile',
      buildargs: { ...Object.fromEntries(set), BASE: base },
      labels: { [RECIPE_LABEL]: recipe },
      ...(signal === undefined ? {} : { abortSignal: signal }),
    })
    await followProgress(docker, stream, note)
    await pruneReplaced(docker, RECIPE_LABEL)
  } catch (error) {
    const lines = last.slice(-5).join(' | ')
    throw new RunyardError('internal', `Docker cannot build ${WORKER_IMAGE}: ${messageOf(error)}. Its last lines: ${lines}`, {
      cause: error,
    })
  }
}

async function buildContext(dockerfile: string, caBundle: string | undefined): Promise<NodeJS.ReadableStream> {
  const recipe = await readFile(dockerfile)
  const bundle = caBundle === undefined ? undefined : await readFile(caBundle).catch(() => undefined)
  return tarOf((context) => {
    context.entry({ name: 'worker.Dockerfile' }, recipe)
    if (bundle !== undefined) context.entry({ name: 'build-ca.pem' }, bundle)
  })
}

/** Of terminal escape sequences, which begin with a control character. */
const stripColours = (line: string): string => line.replaceAll(new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g'), '').trimEnd()
