// The worker of a load-balanced endpoint: starts its HTTP server, watches its health, and offers tunnels to it while it is healthy (ADR 69, 70). The server
// is our runner's, or the image's own command. If it ends, the agent ends with it, and the scaler decides what follows.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pause } from './backoff.ts'
import type { HttpClient } from './http.ts'
import type { AgentLog } from './log.ts'
import { createPacedWriter } from './output-pipe.ts'
import type { Serving, Settings } from './settings.ts'
import { createTunnels, type Tunnels } from './tunnels.ts'

const LOOK_MS = { starting: 100, ready: 1000 }
const ANSWER_WITHIN_MS = 5000
const INITIALIZING = 204
/** So many looks in a row take a ready server out of rotation. */
const MISSED = 3
/** A server that was ready and is not for this long is replaced. */
const UNHEALTHY_MS = 60_000
const END_WITHIN_MS = 20_000

export interface ServerDeps {
  readonly settings: Settings & { readonly serves: Serving }
  readonly env: Readonly<Record<string, string>>
  readonly http: HttpClient
  readonly log: AgentLog
  readonly writeThrough: (chunk: Buffer) => void
  /** @throws Error with one sentence when there is none. */
  readonly python: () => string
  /** The server is ready for the first time. */
  readonly onReady: () => void
}

/** Resolves when the server has been drained. @throws Error with one sentence when it ended by itself or stayed unhealthy. */
export async function runServer(deps: ServerDeps, drain: AbortSignal): Promise<void> {
  const { settings, log } = deps
  const { serves } = settings
  const ports = await choosePorts(settings)
  const child = startServer(deps, ports)
  const ended = once(child, 'close').then(([code, signal]) => `the server ended by itself (${signal ?? `exit code ${code}`})`)
  using tunnels = createTunnels({ url: serves.tunnelUrl, token: settings.token, portOf: (declared) => ports.get(declared) })
  const watching = new AbortController()
  const end = Promise.withResolvers<undefined>()
  drain.addEventListener('abort', () => end.resolve(undefined), { once: true })
  if (drain.aborted) end.resolve(undefined)
  try {
    const sick = watchHealth({ ...deps, tunnels, port: ports.get(serves.healthPort) ?? serves.healthPort }, watching.signal)
    const failure = await Promise.race([ended, sick, end.promise])
    if (failure !== undefined) throw new Error(failure)
    log.info('the server is asked to end')
  } finally {
    watching.abort()
    tunnels.withdraw()
    await endServer(child)
  }
}

/** Declared port → port on this machine. In a container they are the same; on a process host the machine's ports are not the worker's to choose. */
async function choosePorts({ serves: { port, healthPort, command }, scratchDir }: ServerDeps['settings']): Promise<Map<number, number>> {
  const isOwn = scratchDir === undefined && command !== undefined
  const chosen = isOwn ? port : await freePort()
  const ports = new Map([[port, chosen]])
  if (healthPort !== port) ports.set(healthPort, isOwn ? healthPort : chosen)
  return ports
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('this machine has no free port')
  return address.port
}

function startServer({ settings, env, python, writeThrough }: ServerDeps, ports: ReadonlyMap<number, number>): ChildProcess {
  const { serves, runnerDir, vendorDir } = settings
  const command = serves.command ?? [python(), '-u', join(runnerDir, 'server.py'), vendorDir]
  const [file = '', ...args] = command
  const own = { PORT: String(ports.get(serves.port)), PORT_HEALTH: String(ports.get(serves.healthPort)) }
  // In a session of its own: the agent alone hears Ctrl-C, and ends all that the server has started.
  const child = spawn(file, args, { env: { ...env, ...own }, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const writer = createPacedWriter(writeThrough)
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', writer.open())
  child.once('close', () => writer[Symbol.dispose]())
  child.on('error', (error) => writeThrough(Buffer.from(`runyard: the server could not be started: ${error.message}\n`)))
  child.stdin?.on('error', () => undefined)
  return child
}

interface HealthWatch extends ServerDeps {
  readonly tunnels: Tunnels
  readonly port: number
}

/** Resolves with a sentence when the server stays unhealthy. */
async function watchHealth(watch: HealthWatch, signal: AbortSignal): Promise<string | undefined> {
  const { settings, tunnels, log, onReady } = watch
  const path = settings.serves.healthPath
  const silent = await untilReady(watch, signal)
  if (silent !== undefined || signal.aborted) return silent
  log.info(`the server answers ${path} and gets requests`)
  onReady()
  tunnels.offer()
  let lastGood = performance.now()
  for (let missed = 0; performance.now() - lastGood < UNHEALTHY_MS;) {
    await pause(LOOK_MS.ready, signal)
    const status = await look(watch, signal)
    if (signal.aborted) return undefined
    missed = status === 200 ? 0 : missed + 1
    if (status === 200) lastGood = performance.now()
    if (status === 200) tunnels.offer()
    if (missed === MISSED) {
      log.warn(`the server answers ${path} with ${status === 0 ? 'nothing' : status} and gets no requests`)
      tunnels.withdraw()
    }
  }
  return `the server has not been healthy for ${UNHEALTHY_MS / 1000} s`
}

/** 204: it is initializing, for as long as it needs. Our own runner listens once the app is loaded, which has limits of its own. Resolves with a sentence. */
async function untilReady(watch: HealthWatch, signal: AbortSignal): Promise<string | undefined> {
  const { command, healthPath, healthPort, readyWithinMs } = watch.settings.serves
  for (let lastAnswer = performance.now(); ;) {
    const status = await look(watch, signal)
    if (status === 200 || signal.aborted) return undefined
    if (status === INITIALIZING || command === undefined) lastAnswer = performance.now()
    if (performance.now() - lastAnswer > readyWithinMs) {
      const seen = status === 0 ? 'nothing answers' : `the answer is ${status}`
      return `the server is not ready after ${readyWithinMs / 1000} s: on port ${healthPort} at ${healthPath} ${seen}, and it must be 200 (PORT, PORT_HEALTH and HEALTH_CHECK_PATH say where)`
    }
    await pause(LOOK_MS.starting, signal)
  }
}

/** Its status; 0: none. */
async function look({ http, settings, port }: HealthWatch, signal: AbortSignal): Promise<number> {
  const url = `http://127.0.0.1:${port}${settings.serves.healthPath}`
  return http.exchange({ method: 'GET', url, timeoutMs: ANSWER_WITHIN_MS, signal }).then(
    ({ status }) => status,
    () => 0,
  )
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    const limit = new AbortController()
    await Promise.race([once(child, 'exit', { signal: limit.signal }), pause(END_WITHIN_MS, limit.signal)]).catch(() => undefined)
    limit.abort()
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing is left of it.
  }
}
