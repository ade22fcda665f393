// Gateway and scaler as supervised children. They get everything by environment (`RUNYARD_*`), so that each can also be run by hand.
import { join } from 'node:path'
import { aborted, type LoadedConfig } from '@runyard/kit'
import { errorMessage, RunyardError } from '@runyard/schema'
import { partArguments } from '../locations.ts'
import { keyFile, type DataDir } from './data-dir.ts'
import type { HostChoice } from './host-choice.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface Listener {
  readonly host: string
  readonly port: number
}

export interface Parts extends AsyncDisposable {
  /** @throws RunyardError with the last words of a part that ended, or when nothing answers in time. */
  untilReady(url: string, signal: AbortSignal): Promise<void>
  /** Rejects with one sentence when a part has ended for good. */
  readonly failed: Promise<never>
  /** Resolves when the scaler gives up and leaves workers running. */
  readonly undrained: Promise<undefined>
  /** What the scaler said last. */
  scaler(): ScalerNote | undefined
  kill(): void
}

/** What the scaler says when it begins to lead, and when another one does. */
export interface ScalerNote {
  /** What this installation's workers are labelled with. */
  readonly instanceId: string
  /** Who leads; undefined: this one. */
  readonly leader?: { readonly machine: string; readonly pid: number; readonly dataDir: string } | undefined
}

export interface PartEnvironments {
  readonly gateway: NodeJS.ProcessEnv
  readonly scaler: NodeJS.ProcessEnv
}

interface PartsOptions {
  readonly envs: PartEnvironments
  readonly logDir: string
  readonly onNews: (line: string) => void
  readonly kill?: AbortSignal | undefined
}

/** The scaler drains workers before it ends, and a job may take its time; a second Ctrl-C is the way out. */
const DRAIN_GRACE_MS = 24 * 3600 * 1000
const GATEWAY_GRACE_MS = 20_000
const READY_LIMIT_MS = 30_000
const READY_POLL_MS = 25

/** Secrets in the environment can be read in /proc: the gateway reads the key file at each start. */
export function partEnvironments(stack: {
  env: NodeJS.ProcessEnv
  listen: Listener
  plane: Listener
  redis: { url: string }
  dataDir: Pick<DataDir, 'path'>
  choice: HostChoice
  origins: LoadedConfig['origins']
}): PartEnvironments {
  const { env, listen, plane, redis, dataDir, choice, origins } = stack
  const scaler = {
    ...env,
    RUNYARD_LISTEN_HOST: listen.host,
    RUNYARD_LISTEN_PORT: `${listen.port}`,
    RUNYARD_WORKER_PLANE_HOST: plane.host,
    RUNYARD_WORKER_PLANE_PORT: `${plane.port}`,
    RUNYARD_REDIS_URL: redis.url,
    RUNYARD_DATA_DIR: dataDir.path,
    RUNYARD_ORIGINS: JSON.stringify(handedOrigins(origins)),
    // The scaler reads the configured hosts itself, and again when they change.
    RUNYARD_DEFAULT_HOSTS: JSON.stringify(choice.hosts),
    RUNYARD_DRAIN_ON_STOP: '1',
  }
  return { scaler, gateway: { ...scaler, RUNYARD_BOOTSTRAP_KEY_FILE: keyFile(dataDir.path) } }
}

/** Of the settings above. The last ones are chosen here unless they are configured. */
function handedOrigins(origins: LoadedConfig['origins']): Readonly<Record<string, string | undefined>> {
  const own = (key: string) => (origins[key] === 'default' ? 'runyard up' : origins[key])
  const asGiven = ['listen.host', 'listen.port', 'dataDir'].map((key) => [key, origins[key]])
  return Object.fromEntries([...asGiven, ...['workerPlane.host', 'workerPlane.port', 'redis.url'].map((key) => [key, own(key)])])
}

/** The scaler closes first, while the gateway still accepts the results of draining workers. */
export async function startParts({ envs, ...options }: PartsOptions): Promise<Parts> {
  await using opening = new AsyncDisposableStack()
  const heard = Promise.withResolvers<undefined>()
  let note: ScalerNote | undefined
  const undrained = Promise.withResolvers<undefined>()
  const onMessage = (message: unknown): void => {
    const { kind, problem } = message as { kind: string; problem?: string }
    if (kind === 'drain-trouble') options.onNews(`the workers cannot be drained now: ${problem}`)
    if (kind === 'undrained') undrained.resolve(undefined)
    if (kind !== 'scaling') return
    const before = note
    note = message as ScalerNote
    heard.resolve(undefined)
    if (before !== undefined) options.onNews(`scaler: ${describeScaler(note)}`)
  }
  const gateway = opening.use(await startPart('gateway', { ...options, env: envs.gateway, onMessage, graceMs: GATEWAY_GRACE_MS }))
  const scaler = opening.use(await startPart('scaler', { ...options, env: envs.scaler, onMessage, graceMs: DRAIN_GRACE_MS }))
  const failed = Promise.race([gateway.failed, scaler.failed]).catch((error: unknown) => {
    throw new RunyardError('conflict', errorMessage(error), { cause: error })
  })
  failed.catch(() => {})
  const opened = opening.move()
  return {
    failed,
    undrained: undrained.promise,
    async untilReady(url, signal) {
      await untilReady({ url, heard: heard.promise, parts: [gateway, scaler] }, signal)
      for (const part of [gateway, scaler]) part.markUp()
    },
    scaler: () => note,
    kill() {
      scaler.kill()
      gateway.kill()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** One sentence. */
export function describeScaler({ leader }: ScalerNote): string {
  if (leader === undefined) return 'it starts and stops the workers'
  const { machine, pid, dataDir } = leader
  return `it stands by, since the one of process ${pid} on ${machine} (${dataDir}) leads; it takes over when that one ends, and until then this machine gets no worker`
}

interface PartOptions {
  readonly env: NodeJS.ProcessEnv
  readonly logDir: string
  readonly onNews: (line: string) => void
  readonly onMessage: (message: unknown) => void
  readonly graceMs: number
  readonly kill?: AbortSignal | undefined
}

function startPart(name: 'gateway' | 'scaler', { logDir, onNews, ...spec }: PartOptions): Promise<Supervised> {
  return supervise(
    { ...spec, name, command: process.execPath, args: partArguments(name, spec.env), logFile: join(logDir, `${name}.log`) },
    onNews,
  )
}

interface Awaited {
  readonly url: string
  /** Resolves with the first word of the scaler. */
  readonly heard: Promise<undefined>
  readonly parts: readonly Supervised[]
}

/** @throws RunyardError with the last words of a part that ended, or when nothing answers in time. */
async function untilReady({ url, heard, parts }: Awaited, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const patience = AbortSignal.any([stop.signal, signal, AbortSignal.timeout(READY_LIMIT_MS)])
  try {
    await Promise.race([Promise.all([pollReady(url, patience), hearScaler(heard, patience)]), ...parts.map(({ failed }) => failed)])
  } catch (error) {
    signal.throwIfAborted()
    throw new RunyardError('internal', errorMessage(error), { cause: error })
  } finally {
    stop.abort()
  }
}

async function hearScaler(heard: Promise<undefined>, signal: AbortSignal): Promise<void> {
  await Promise.race([heard, aborted(signal)])
  if (signal.aborted) throw new Error('The scaler does not say whether it leads; its log is logs/scaler.log in the data directory.')
}

async function pollReady(url: string, signal: AbortSignal): Promise<void> {
  let problem = 'it does not answer'
  while (!signal.aborted) {
    const response = await fetch(`${url}/readyz`, { signal }).catch(() => undefined)
    if (response?.ok) return
    if (response !== undefined) problem = await problemOf(response).catch(() => problem)
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  throw new Error(`The gateway at ${url} is not ready: ${problem}`)
}

/** The sentence of `/readyz`, or the text of another program on that port. */
async function problemOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const { error }: { readonly error?: unknown } = JSON.parse(text)
    return typeof error === 'string' ? error : text
  } catch {
    return text
  }
}

/** As this machine itself can use it. */
export function urlOf({ host, port }: Listener): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
