// A complete stack on free ports: Redis, gateway and scaler as separate processes, configured through the environment exactly as `runyard up`
// does. Owns everything that it starts; `stop` fails if something is left behind.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureWorkerNetwork, openEngine } from '@runyard/host-docker'
import { findFreePort } from '@runyard/testing/free-port'
import { startRedis, type TestRedis } from '@runyard/testing/redis'
import { noteOwner, reapAbandoned, STACK_PREFIX } from './abandoned.ts'
import { startBalancer } from './balancer.ts'
import { createApi, type Api } from './api.ts'
import { startChild, type Child } from './child.ts'
import { watchStack } from './failed-tests.ts'
import { findLastingLeaks, removeBuilds, removeLeaks } from './leaks.ts'
import { instanceId } from './store.ts'
import { uvDirectory } from './venvs.ts'
import { waitFor } from './wait.ts'

export type HostKind = 'process' | 'docker'

export interface StackOptions {
  readonly host: HostKind
  /** e.g. `NVIDIA GeForce RTX 4090:2` */
  readonly simulatedGpus?: string
  /** Further settings, as environment variables (`RUNYARD_LEASE_DURATION_S: '5'`). */
  readonly settings?: Readonly<Record<string, string>>
  /** Number of gateways. Several are behind a balancer, whose address is then the stack's. */
  readonly gateways?: number
  /** When Redis syncs its append-only file to disk. */
  readonly appendfsync?: 'always' | 'everysec'
  /** Connect over TCP, so that Redis can distinguish connections; otherwise the parts use its unix socket. */
  readonly redisOverTcp?: boolean
  /** Fills Redis and the data directory before any part starts. */
  readonly prepare?: (place: { readonly redisUrl: string; readonly dataDir: string }) => Promise<void>
}

export interface Part {
  readonly child: () => Child
  readonly pid: () => number
  /** Sends SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>
  /** Starts it again with the same environment and waits until it responds. */
  readonly start: () => Promise<void>
}

export interface Stack {
  readonly host: HostKind
  readonly url: string
  readonly planeUrl: string
  readonly key: string
  readonly dataDir: string
  /** The variables that a client's shell needs, as `runyard env` prints them. */
  readonly env: Readonly<Record<string, string>>
  readonly api: Api
  readonly redis: TestRedis
  /** The first or only gateway. */
  readonly gateway: Part
  readonly gateways: readonly Part[]
  readonly scaler: Part
  /** Another scaler on the same Redis, not yet started; the caller starts and stops it. */
  readonly anotherScaler: (settings?: Readonly<Record<string, string>>) => Part
  readonly logs: () => string
  readonly stop: () => Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')

/** @throws with the parts' logs if one of them does not start. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const key = `ryk_${randomBytes(16).toString('hex')}`
  const port = await findFreePort()
  const planeHost = options.host === 'docker' ? await bridgeAddress() : '127.0.0.1'
  const planePort = await findFreePort(planeHost)
  await reapAbandoned()
  // From here on, processes are running.
  const dataDir = await mkdtemp(STACK_PREFIX)
  await noteOwner(dataDir)
  const redis = await startRedis({ directory: join(dataDir, 'redis'), appendfsync: options.appendfsync ?? 'everysec' })
  await options.prepare?.({ redisUrl: redis.url, dataDir })
  const env = {
    ...cleanEnv(),
    PATH: `${process.env['PATH'] ?? ''}:${uvDirectory()}`,
    RUNYARD_LISTEN_PORT: `${port}`,
    RUNYARD_WORKER_PLANE_HOST: planeHost,
    RUNYARD_WORKER_PLANE_PORT: `${planePort}`,
    RUNYARD_DATA_DIR: dataDir,
    RUNYARD_REDIS_URL: options.redisOverTcp === true ? redis.url : redis.socket,
    RUNYARD_HOSTS: options.host,
    RUNYARD_BOOTSTRAP_KEY: key,
    RUNYARD_DRAIN_ON_STOP: '1',
    RUNYARD_LOG_LEVEL: 'debug',
    ...(options.simulatedGpus === undefined ? {} : { RUNYARD_SIMULATED_GPUS: options.simulatedGpus }),
    ...options.settings,
  }
  const url = `http://127.0.0.1:${port}`
  const api = createApi(url, key)
  const { gateway, gateways, balancers } = await createGateways(options.gateways ?? 1, { env, dataDir, port, planeHost, planePort })
  const anotherScaler: Stack['anotherScaler'] = (settings = {}) =>
    createPart('scaler', { env: { ...env, ...settings }, dataDir, isReady: (output) => output().includes('"scaling"') })
  const scaler = anotherScaler()
  const logs = (): string => [...gateways, scaler].map((part) => `--- ${part.child().name}\n${part.child().output()}`).join('\n')
  const stopGateways = async (graceMs: number): Promise<void> => {
    await Promise.all(gateways.map((part) => part.child().stop(graceMs)))
    await balancers.disposeAsync()
  }
  try {
    await Promise.all(gateways.map((part) => part.start()))
    await scaler.start()
    await noteOwner(dataDir, await instanceId(redis.url))
  } catch (error) {
    await stopGateways(1000)
    await Promise.allSettled([redis.stop(), rm(dataDir, { recursive: true, force: true })])
    throw error
  }
  const watch = watchStack({ dataDir, parts: () => [...gateways, scaler].map((part) => part.child()) })
  const stop = async (): Promise<void> => {
    watch[Symbol.dispose]()
    const instance = await instanceId(redis.url)
    await scaler.child().stop(90_000)
    await stopGateways(60_000)
    await redis.stop()
    const leaks = await findLastingLeaks({ dataDir, instance, ownPid: process.pid })
    await removeLeaks(leaks)
    await removeBuilds(instance)
    await rm(dataDir, { recursive: true, force: true })
    if (leaks.length > 0) throw new Error(`left behind: ${leaks.map((leak) => leak.what).join('; ')}\n${tail(logs())}`)
  }
  const planeUrl = `http://${planeHost}:${planePort}`
  return {
    host: options.host,
    url,
    planeUrl,
    key,
    dataDir,
    env: clientEnv(url, key),
    api,
    redis,
    gateway,
    gateways,
    scaler,
    anotherScaler,
    logs,
    stop,
  }
}

/** As `runyard env` prints it (flash-api §1, sdk2-api §1.1). */
function clientEnv(url: string, key: string): Record<string, string> {
  return {
    RUNPOD_API_KEY: key,
    RUNPOD_API_BASE_URL: url,
    RUNPOD_ENDPOINT_BASE_URL: `${url}/v2`,
    RUNPOD_REST_API_URL: `${url}/rest/v1`,
    RUNPOD_HAPI_URL: `${url}/hapi`,
    RUNPOD_CONSOLE_URL: url,
    FLASH_IS_LIVE_PROVISIONING: 'true',
    FLASH_NO_UPDATE_CHECK: '1',
  }
}

/** The caller's environment without variables that would redirect us or the SDKs. */
export function cleanEnv(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:RUNYARD|RUNPOD|FLASH|VITEST)_|^(?:REDIS_URL|NODE_ENV|VITEST)$/.test(name),
  )
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']))
}

interface GatewaySite {
  readonly env: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly port: number
  readonly planeHost: string
  readonly planePort: number
}

/** One gateway at the stack's address, or several on their own ports with a balancer at that address. */
async function createGateways(
  count: number,
  { env, dataDir, port, planeHost, planePort }: GatewaySite,
): Promise<{ gateway: Part; gateways: readonly Part[]; balancers: AsyncDisposableStack }> {
  const at = (ports: { port: number; planePort: number }): Part =>
    createPart('gateway', {
      env: { ...env, RUNYARD_LISTEN_PORT: `${ports.port}`, RUNYARD_WORKER_PLANE_PORT: `${ports.planePort}` },
      dataDir,
      isReady: async () => (await fetch(`http://127.0.0.1:${ports.port}/readyz`)).status === 200,
    })
  const balancers = new AsyncDisposableStack()
  if (count === 1) {
    const gateway = at({ port, planePort })
    return { gateway, gateways: [gateway], balancers }
  }
  const sites = await Promise.all(
    Array.from({ length: count }, async () => ({ port: await findFreePort(), planePort: await findFreePort(planeHost) })),
  )
  const backends = (host: string, name: 'port' | 'planePort') => sites.map((site) => ({ host, port: site[name] }))
  balancers.use(await startBalancer({ host: '127.0.0.1', port }, backends('127.0.0.1', 'port')))
  balancers.use(await startBalancer({ host: planeHost, port: planePort }, backends(planeHost, 'planePort')))
  const gateways = sites.map(at)
  const [gateway] = gateways
  if (gateway === undefined) throw new Error('a stack needs a gateway')
  return { gateway, gateways, balancers }
}

function createPart(name: 'gateway' | 'scaler', how: PartSpec): Part {
  let child: Child | undefined
  const current = (): Child => {
    if (child === undefined) throw new Error(`${name} was never started`)
    return child
  }
  const start = async (): Promise<void> => {
    const started = startChild({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', entry(name)],
      env: how.env,
      cwd: how.dataDir,
    })
    child = started
    const ready = waitFor(`${name} to be ready`, () => how.isReady(started.output))
    const ended = started.exited.then(() => {
      throw new Error(`${name} ended at once`)
    })
    await Promise.race([ready, ended]).catch(async (error: unknown) => {
      await started.stop(1000)
      throw new Error(`${name} did not come up:\n${tail(started.output())}`, { cause: error })
    })
  }
  const kill = async (): Promise<void> => {
    current().signal('SIGKILL')
    await current().exited
  }
  return { child: current, pid: () => current().pid, kill, start }
}

interface PartSpec {
  readonly env: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly isReady: (output: () => string) => Promise<boolean> | boolean
}

/** The bundle if it exists, as in a release; otherwise the source, which Node can run, too. */
export function entry(app: 'gateway' | 'scaler' | 'cli'): string {
  const bundle = join(ROOT, 'apps', app, 'dist', 'main.mjs')
  return existsSync(bundle) && process.env['RUNYARD_TEST_FROM_SOURCE'] === undefined ? bundle : join(ROOT, 'apps', app, 'src', 'main.ts')
}

/** The address at which containers reach this machine. */
async function bridgeAddress(): Promise<string> {
  await using engine = openEngine({ kind: 'unix', socket: '/var/run/docker.sock' })
  const address = await ensureWorkerNetwork(engine.docker())
  if (address === undefined) throw new Error('the network of workers has no address')
  return address
}

export function tail(text: string, lines = 40): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}
