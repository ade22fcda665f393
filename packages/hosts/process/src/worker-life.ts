// The life of one child process: it is spawned and stopped, and its end is recorded once. The record on disk is the source of truth; only the exit code
// of our own children is in memory until it is written. The end is recorded after the remaining processes of the worker were killed.
import { spawn } from 'node:child_process'
import { closeSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifeOf } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { HostEvent, LaunchedBuild, ObservedWorker, WorkerLaunch } from '@runyard/schema'
import { linkModels } from './models.ts'
import { killMarked, signal } from './process-table.ts'
import type { WorkerFile, WorkerFiles } from './worker-files.ts'
import { SCRATCH_VARIABLE, workerSurroundings } from './worker-surroundings.ts'

/** How soon the death of a worker that an earlier scaler started is noticed. */
const ADOPTED_POLL_MS = 200
const DEATH_POLL_MS = 20
/** After SIGKILL only a process in an uninterruptible wait lingers. */
const KILL_WAIT_MS = 10_000

/** As containers have it. */
const OOM_SCORE = 500
/** Of 19; workers get a third of the processor time of an unchanged process beside them. */
const NICENESS = 5

type Exit = NonNullable<ObservedWorker['exit']>

export interface WorkerLives {
  start(launch: WorkerLaunch): Promise<void>
  /** The record as it is now: with its exit, if the process is dead. */
  settle(file: WorkerFile): Promise<WorkerFile>
  stop(workerId: string, graceMs: number): Promise<void>
  /** Notices deaths of workers whose parent we are not. */
  watchAdopted(): AsyncDisposableStack
}

export interface WorkerLivesDeps {
  readonly files: WorkerFiles
  readonly instanceId: string
  readonly agentCommand: readonly string[]
  /** Undefined: the agent's own choice. @throws RunyardError if this machine does not have the Python of the build. */
  readonly pythonOf: (build: LaunchedBuild | undefined) => Promise<string | undefined>
  readonly buildsDirectory: string
  readonly modelsDirectory: string
  readonly emit: (event: HostEvent) => void
  readonly warn: (message: string) => void
}

export function createWorkerLives(deps: WorkerLivesDeps): WorkerLives {
  const { files, emit, warn } = deps
  const children = new Map<string, Promise<Exit>>()
  const settling = new Map<string, Promise<WorkerFile>>()

  async function settle(file: WorkerFile): Promise<WorkerFile> {
    if (file.exit !== undefined || isLiving(file)) return file
    const { workerId } = file
    const settled = settling.get(workerId) ?? recordEnd(file).finally(() => settling.delete(workerId))
    settling.set(workerId, settled)
    return settled
  }

  async function recordEnd(file: WorkerFile): Promise<WorkerFile> {
    const { workerId, pid } = file
    const exit = (await children.get(workerId)) ?? { at: Date.now(), exitCode: null, oomKilled: false }
    // Our own child's group cannot have been taken over yet; a stranger's could, so there only the marker counts.
    if (children.delete(workerId)) signal(-pid, 'SIGKILL')
    await killMarked(`${SCRATCH_VARIABLE}=${files.dirOf(workerId)}`)
    const recorded = await files.read(workerId)
    const ended = { ...file, exit: recorded?.exit ?? exit }
    if (recorded !== undefined && recorded.exit === undefined) files.write(ended)
    emit({ kind: 'died', workerId, at: ended.exit.at })
    return ended
  }

  return {
    settle,
    async start(launch) {
      const { workerId } = launch
      const existing = await files.read(workerId)
      if (existing !== undefined) {
        if (existing.exit === undefined && isLiving(existing)) return
        throw new RunyardError('conflict', `Worker ${workerId} has already ended; it is not started twice.`)
      }
      const { file, exit } = await spawnWorker(deps, launch)
      children.set(workerId, exit)
      emit({ kind: 'started', workerId, at: file.startedAt })
      exit.then(() => settle(file)).catch((error: unknown) => warn(`the end of worker ${workerId} could not be recorded: ${String(error)}`))
    },
    async stop(workerId, graceMs) {
      const file = await files.read(workerId)
      if (file === undefined) return
      if (file.exit === undefined && isLiving(file)) await terminate(file, graceMs)
      await settle(file)
    },
    watchAdopted: () => watchAdopted(files, { settle, isOurs: (workerId) => children.has(workerId), emit }),
  }
}

export const isLiving = (file: WorkerFile): boolean => lifeOf(file.pid) === file.life

interface Spawned {
  readonly file: WorkerFile
  readonly exit: Promise<Exit>
}

async function spawnWorker(
  { files, instanceId, agentCommand, pythonOf, buildsDirectory, modelsDirectory }: WorkerLivesDeps,
  launch: WorkerLaunch,
): Promise<Spawned> {
  const { workerId, endpointId, specHash } = launch
  const [command = '', ...args] = agentCommand
  const scratch = files.dirOf(workerId)
  const pythonPath = await pythonOf(launch.build)
  const withModels = { ...launch, env: await linkModels(launch, { directory: modelsDirectory, scratch }) }
  const logs = files.open(workerId)
  const env = workerSurroundings({ launch: withModels, scratch, pythonPath, buildsDirectory })
  const child = spawn(command, args, { cwd: scratch, env, detached: true, stdio: ['ignore', logs.stdout, logs.stderr] })
  closeSync(logs.stdout)
  closeSync(logs.stderr)
  const { pid } = child
  if (pid === undefined) {
    const error = await new Promise<Error>((resolve) => child.once('error', resolve))
    await files.remove(workerId)
    throw new RunyardError('internal', `The agent cannot be started: ${error.message}.`, { cause: error, fault: 'host' })
  }
  // The record is written before anything is awaited, so that a scaler that dies now leaves no unknown worker.
  const gpuUuids = launch.gpus.map((gpu) => gpu.uuid)
  const uses = {
    ...(launch.build === undefined ? {} : { buildId: launch.build.id }),
    ...(launch.models === undefined ? {} : { modelIds: launch.models.map(({ id }) => id) }),
  }
  const file = { instanceId, workerId, endpointId, specHash, gpuUuids, ...uses, pid, life: lifeOf(pid) ?? 'gone', startedAt: Date.now() }
  files.write(file)
  preferToLose(pid)
  yieldToControlPlane(pid)
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (code, name) => resolve({ at: Date.now(), exitCode: code ?? exitCodeOf(name), oomKilled: false }))
  })
  child.unref()
  return { file, exit }
}

/** Where memory runs out, the kernel ends a worker before Redis and the gateway; what the worker starts inherits it. Linux only. */
function preferToLose(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(OOM_SCORE))
  } catch {
    // Elsewhere there is no such file; a worker that ended at once has none any more.
  }
}

/**
 * Where processors are short, the gateway, the scaler and Redis come first; what the worker starts inherits it. Linux shares the processors
 * between sessions before it looks at processes (autogroup, sched(7)), so the session gets the same value.
 */
function yieldToControlPlane(pid: number): void {
  try {
    setPriority(pid, process.env.NICE ? Number(process.env.NICE) : NICENESS)
    writeFileSync(`/proc/${pid}/autogroup`, String(process.env.NICE ?? NICENESS))
  } catch {
    // Not every kernel groups by session; a worker that ended at once has no priority any more.
  }
}

/** As a shell and Docker count: 128 plus the signal's number. */
const exitCodeOf = (name: NodeJS.Signals | null): number | null => (name === null ? null : 128 + constants.signals[name])

async function terminate(file: WorkerFile, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signal(file.pid, 'SIGTERM')
    if (await diesWithin(file, graceMs)) return
  }
  signal(-file.pid, 'SIGKILL')
  if (await diesWithin(file, KILL_WAIT_MS)) return
  throw new RunyardError('internal', `Worker ${file.workerId} (pid ${file.pid}) does not die; it may hang in a driver call.`)
}

async function diesWithin(file: WorkerFile, ms: number): Promise<boolean> {
  const until = Date.now() + ms
  while (isLiving(file)) {
    if (Date.now() >= until) return false
    await sleep(DEATH_POLL_MS)
  }
  return true
}

interface Adoption {
  readonly settle: (file: WorkerFile) => Promise<WorkerFile>
  readonly isOurs: (workerId: string) => boolean
  readonly emit: (event: HostEvent) => void
}

function watchAdopted(files: WorkerFiles, { settle, isOurs, emit }: Adoption): AsyncDisposableStack {
  const stop = new AbortController()
  let living = new Set<string>()
  const look = async (): Promise<void> => {
    const strangers = (await files.list()).filter((file) => !isOurs(file.workerId))
    // Recorded by another driver since the last look; an unrecorded death is reported by `settle`.
    for (const { workerId, exit } of strangers)
      if (exit !== undefined && living.has(workerId)) emit({ kind: 'died', workerId, at: exit.at })
    const settled = await Promise.all(strangers.map(settle))
    living = new Set(settled.filter((file) => file.exit === undefined).map((file) => file.workerId))
  }
  const poll = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look()
      await sleep(ADOPTED_POLL_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)
    }
  }
  const ended = poll()
  const watch = new AsyncDisposableStack()
  watch.defer(() => {
    stop.abort()
    return ended
  })
  return watch
}
