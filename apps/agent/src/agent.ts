// Puts the parts of one worker together and owns its end: drain on the first signal, kill on the second.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorMessage } from '@runyard/schema/errors'
import { createChildPool } from './child-pool.ts'
import { createCurrentJob, type CurrentJob, runPingLoop, runStopLoop } from './current-job.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createGateway } from './gateway-client.ts'
import { createHttpClient } from './http.ts'
import type { AgentLog } from './log.ts'
import { createRunner, type Runner } from './runner.ts'
import { findPython, isDeployed, NO_PYTHON, refuseUnheeded, toRunnerEnv, type Settings } from './settings.ts'
import { runServer, type ServerDeps } from './server.ts'
import { openSpool, type Spool } from './spool.ts'
import type { Parked } from './standby.ts'
import { runTakeLoop } from './take-loop.ts'

/** When the spool is full, a generator waits for the gateway. */
const SPOOL_LIMIT_BYTES = 256 * 1024 * 1024

export interface AgentDeps {
  readonly settings: Settings
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: AgentLog
  readonly writeThrough: (chunk: Buffer) => void
  /** The Python of a worker that stood by. */
  readonly parked?: Pick<Parked, 'runtimeDir' | 'supervisor' | 'limited'> | undefined
}

export interface AgentSignals {
  /** Take no further job, finish the current one, end. */
  readonly drain: AbortSignal
  /** End at once, even during a job. */
  readonly kill: AbortSignal
}

/** Resolves when the agent has drained or was killed. No process of user code is left then. @throws Error with one sentence when a server has ended */
export async function runAgent(deps: AgentDeps, signals: AgentSignals): Promise<void> {
  const { serves } = deps.settings
  await (serves === undefined ? runJobs(deps, signals) : serveRequests(deps, { ...deps.settings, serves }, signals))
}

/** The worker of a load-balanced endpoint. Pings begin once its server is ready: the first one says so. */
async function serveRequests(deps: AgentDeps, settings: ServerDeps['settings'], signals: AgentSignals): Promise<void> {
  const { log, parked, writeThrough } = deps
  const runtimeDir = parked?.runtimeDir ?? mkdtempSync(join(toRuntimeBase(settings.scratchDir), 'runyard-'))
  using http = createHttpClient({ Authorization: settings.token, 'User-Agent': `Runyard-Agent/${settings.version}` })
  const side = new AbortController()
  const intervalMs = settings.pingIntervalMs
  const onReady = (): void => void runPingLoop(createGateway(http, settings), createCurrentJob(), { intervalMs, signal: side.signal })
  try {
    await parked?.limited
    await parked?.supervisor.end()
    mkdirSync(runtimeDir, { recursive: true, mode: 0o700 })
    using local = createHttpClient({})
    const env = { ...toRunnerEnv(deps.env, runtimeDir), ...podOf(settings) }
    const ends = AbortSignal.any([signals.drain, signals.kill])
    await runServer({ settings, env, http: local, log, writeThrough, python: () => pythonOf(deps), onReady }, ends)
  } finally {
    side.abort()
    rmSync(runtimeDir, { recursive: true, force: true })
  }
}

/** A client knows a task as a pod, by the id of the task (sdk2-api §1.4). */
function podOf({ envelope, endpointId }: Settings): Record<string, string> {
  return envelope === 'task' ? { RUNPOD_POD_ID: endpointId } : {}
}

/** @throws Error with one sentence when there is none. */
function pythonOf({ settings, env }: AgentDeps): string {
  const found = findPython(settings.python, env.PATH ?? '')
  if (found === undefined) throw new Error(NO_PYTHON)
  return found
}

/** Resolves to the number of jobs that it runs at a time. */
async function warmUp(runner: Runner, { version, endpointId }: Settings, log: AgentLog): Promise<number> {
  try {
    const { pythonVersion, slots } = await runner.warmUp()
    const atATime = slots > 1 ? `, ${slots} at a time` : ''
    log.info(`runyard-agent ${version} takes jobs of endpoint ${endpointId} with Python ${pythonVersion}${atATime}`)
    return slots
  } catch (error) {
    log.error(errorMessage(error))
    return 1
  }
}

async function runJobs(deps: AgentDeps, signals: AgentSignals): Promise<void> {
  const { settings, log } = deps
  for (const sentence of refuseUnheeded(deps.env, settings)) log.warn(sentence)
  const runtimeDir = deps.parked?.runtimeDir ?? mkdtempSync(join(toRuntimeBase(settings.scratchDir), 'runyard-'))
  using http = createHttpClient({ Authorization: settings.token, 'User-Agent': `Runyard-Agent/${settings.version}` })
  const gateway = createGateway(http, settings)
  const held = createCurrentJob()
  const slots = openSlots(settings, (spool) => createDelivery({ gateway, spool, log, envelope: settings.envelope }))
  const python = () => pythonOf(deps)
  const env = toRunnerEnv(deps.env, runtimeDir)
  const { writeThrough, parked } = deps
  const runner = createRunner(createChildPool({ settings, python, runtimeDir, env, writeThrough, parked }), settings)
  const side = new AbortController()
  const killed = new Promise<void>((resolve) => signals.kill.addEventListener('abort', () => resolve(), { once: true }))
  try {
    // Python starts while the first poll is sent, unless it loads an app.
    let used = 1
    const warming = warmUp(runner, settings, log).then((found) => (used = found))
    // A deployed app is loaded before the worker reports that it is ready; a load that fails fails the jobs.
    const loads = isDeployed(settings.envelope)
    const warm = Promise.race(loads ? [warming, killed, aborted(signals.drain)] : [warming, killed])
    if (loads) await warm
    const working = Promise.all(slots.map(async (slot) => recoverLeft(slot, held, log))).then(() =>
      runTakeLoop({ gateway, slots: slots.slice(0, used).map(({ delivery }) => delivery), runner, held, log }, signals.drain),
    )
    // After the first poll was sent, which a job may wait for.
    setImmediate(() => {
      void runPingLoop(gateway, held, { intervalMs: settings.pingIntervalMs, signal: side.signal })
      void runStopLoop(gateway, held, side.signal)
    })
    await Promise.race([working, killed])
    await warm
  } finally {
    side.abort()
    await runner.end()
    rmSync(runtimeDir, { recursive: true, force: true })
    for (const { spool, directory } of slots) if (spool.isEmpty()) rmSync(directory, { recursive: true, force: true })
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** A place for one job at a time. */
interface Slot {
  readonly directory: string
  readonly spool: Spool
  readonly delivery: Delivery
}

function openSlots(settings: Settings, deliver: (spool: Spool) => Delivery): readonly Slot[] {
  const limitBytes = Math.floor(SPOOL_LIMIT_BYTES / settings.slots)
  return Array.from({ length: settings.slots }, (_, at) => {
    const directory = toSpoolDir(settings, at)
    const spool = openSpool({ directory, limitBytes })
    return { directory, spool, delivery: deliver(spool) }
  })
}

/** The next agent of this worker finds unfinished deliveries here. */
function toSpoolDir({ scratchDir, workerId }: Settings, slot: number): string {
  return join(scratchDir ?? tmpdir(), `runyard-spool-${workerId}${slot === 0 ? '' : `-${slot}`}`)
}

/** Delivers the result of a job that an earlier agent finished. The job counts as current until then, so that pings renew its lease. */
async function recoverLeft({ spool, delivery }: Slot, held: CurrentJob, log: AgentLog): Promise<void> {
  const [jobId] = spool.finishedJobs()
  if (jobId === undefined) return
  log.info('an earlier agent left the result of this job; delivering it', jobId)
  await delivery.recover(held.begin(jobId))
  held.end(jobId)
}

/** The scratch directory, unless the path of a unix socket in it would exceed the 107 bytes that the kernel allows (103 on macOS). */
function toRuntimeBase(scratchDir: string | undefined): string {
  return scratchDir !== undefined && Buffer.byteLength(scratchDir) <= 70 ? scratchDir : tmpdir()
}
