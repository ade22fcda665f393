// Gateway and scaler as supervised children. They get everything by environment (`RUNYARD_*`), so that each can also be run by hand.
import { join } from 'node:path'
import { RunyardError } from '@runyard/schema'
import { bundleOf } from '../locations.ts'
import type { DataDir } from './data-dir.ts'
import type { HostChoice } from './host-choice.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface Listener {
  readonly host: string
  readonly port: number
}

export interface Parts extends AsyncDisposable {
  /** @throws RunyardError with the last words of a part that ended, or when nothing answers in time. */
  untilReady(url: string, signal: AbortSignal): Promise<void>
  /** What this installation's workers are labelled with, once the scaler has said so. */
  instanceId(): string | undefined
  kill(): void
}

export interface PartEnvironments {
  readonly gateway: NodeJS.ProcessEnv
  readonly scaler: NodeJS.ProcessEnv
}

interface PartsOptions {
  readonly envs: PartEnvironments
  readonly logDir: string
  readonly onNews: (line: string) => void
}

/** The scaler drains workers before it ends, and a job may take its time; a second Ctrl-C is the way out. */
const DRAIN_GRACE_MS = 24 * 3600 * 1000
const GATEWAY_GRACE_MS = 20_000
const READY_LIMIT_MS = 30_000
const READY_POLL_MS = 25

/** The key is the gateway's business alone. */
export function partEnvironments(stack: {
  env: NodeJS.ProcessEnv
  listen: Listener
  plane: Listener
  redis: { url: string }
  dataDir: Pick<DataDir, 'path' | 'key'>
  choice: HostChoice
}): PartEnvironments {
  const { env, listen, plane, redis, dataDir, choice } = stack
  const scaler = {
    ...env,
    RUNYARD_LISTEN_HOST: listen.host,
    RUNYARD_LISTEN_PORT: `${listen.port}`,
    RUNYARD_WORKER_PLANE_HOST: plane.host,
    RUNYARD_WORKER_PLANE_PORT: `${plane.port}`,
    RUNYARD_REDIS_URL: redis.url,
    RUNYARD_DATA_DIR: dataDir.path,
    RUNYARD_HOSTS: JSON.stringify(choice.hosts),
    RUNYARD_DRAIN_ON_STOP: '1',
    ...(choice.agentVolume === undefined ? {} : { RUNYARD_AGENT_VOLUME: choice.agentVolume }),
  }
  return { scaler, gateway: { ...scaler, RUNYARD_BOOTSTRAP_KEY: dataDir.key } }
}

/** Closed scaler first, while the gateway still takes the results of what it drains. */
export async function startParts({ envs, ...options }: PartsOptions): Promise<Parts> {
  await using opening = new AsyncDisposableStack()
  let instanceId: string | undefined
  const onMessage = (message: unknown): void => {
    instanceId = (message as { instanceId?: string }).instanceId ?? instanceId
  }
  const gateway = opening.use(await startPart('gateway', { ...options, env: envs.gateway, onMessage, graceMs: GATEWAY_GRACE_MS }))
  const scaler = opening.use(await startPart('scaler', { ...options, env: envs.scaler, onMessage, graceMs: DRAIN_GRACE_MS }))
  const opened = opening.move()
  return {
    async untilReady(url, signal) {
      await untilReady(url, [gateway, scaler], signal)
      for (const part of [gateway, scaler]) part.markUp()
    },
    instanceId: () => instanceId,
    kill() {
      scaler.kill()
      gateway.kill()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

interface PartOptions {
  readonly env: NodeJS.ProcessEnv
  readonly logDir: string
  readonly onNews: (line: string) => void
  readonly onMessage: (message: unknown) => void
  readonly graceMs: number
}

function startPart(name: 'gateway' | 'scaler', { env, logDir, onNews, onMessage, graceMs }: PartOptions): Promise<Supervised> {
  const args = ['--enable-source-maps', bundleOf(name)]
  return supervise({ name, command: process.execPath, args, env, logFile: join(logDir, `${name}.log`), onMessage, graceMs }, onNews)
}

/** @throws RunyardError with the last words of a part that ended, or when nothing answers in time. */
async function untilReady(url: string, parts: readonly Supervised[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  try {
    await Promise.race([
      pollReady(url, AbortSignal.any([stop.signal, signal, AbortSignal.timeout(READY_LIMIT_MS)])),
      ...parts.map(({ failed }) => failed),
    ])
  } catch (error) {
    signal.throwIfAborted()
    throw new RunyardError('internal', (error as Error).message, { cause: error })
  } finally {
    stop.abort()
  }
}

async function pollReady(url: string, signal: AbortSignal): Promise<void> {
  let problem = 'it does not answer'
  while (!signal.aborted) {
    const response = await fetch(`${url}/readyz`, { signal }).catch(() => undefined)
    if (response?.ok) return
    if (response !== undefined) problem = await response.text().catch(() => problem)
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  throw new Error(`The gateway at ${url} is not ready: ${problem}`)
}

/** As this machine itself can use it. */
export function urlOf({ host, port }: Listener): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
