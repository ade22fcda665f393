// The life of one child process: it is spawned and stopped, and its end is recorded once. The record on disk is the source of truth; only the exit code
// of our own children is in memory until it is written. The end is recorded after the remaining processes of the worker were killed.
import { spawn } from 'node:child_process'
import { closeSync, writeFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { lifeOf } from '@runyard/kit'
import { RunyardError, type HostEvent, type LaunchedBuild, type ObservedWorker, type WorkerLaunch } from '@runyard/schema'
import { linkModels } from './models.ts'
import { killMarked, signal } from './process-table.ts'
import type { ParkedProcess } from './standbys.ts'
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

export type WorkerLives = ReturnType<typeof createWorkerLives>

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

export function createWorkerLives(deps: WorkerLivesDeps) {
  const { files, emit } = deps
  const ends = createEnds(deps)
  const { settle } = ends
  return {
    settle,
    async start(launch: WorkerLaunch): Promise<void> {
      const { workerId } = launch
      const existing = await files.read(workerId)
      // It stood by, and has ended before it was given its endpoint, or is another scaler's.
      if (existing !== undefined && existing.endpointId === '') await ends.discard(existing)
      else if (existing !== undefined) {
        if (existing.exit === undefined && isLiving(existing)) return
        throw new RunyardError('conflict', `Worker ${workerId} has already ended; it is not started twice.`)
      }
      const { file } = ends.follow(await spawnWorker(deps, launch))
      emit({ kind: 'started', workerId, at: file.startedAt })
    },
    /** Starts a worker that waits for its environment. */
    async park(launch: WorkerLaunch): Promise<ParkedProcess> {
      const { exit, input } = ends.follow(await spawnWorker(deps, launch, 'pipe'))
      if (input === null) throw new RunyardError('internal', 'A worker that stands by has no input.')
      return { input, ended: exit }
    },
    /** It becomes this worker. False: it has ended. */
    async assign(launch: WorkerLaunch, input: Writable): Promise<boolean> {
      const file = await files.read(launch.workerId)
      if (file === undefined || file.exit !== undefined || !isLiving(file)) return false
      const { env, known } = await assignmentOf(deps, launch)
      const at = Date.now()
      files.write({ ...file, ...known, startedAt: at })
      input.end(`${JSON.stringify({ env })}\n${JSON.stringify({ limited: true })}\n`)
      emit({ kind: 'started', workerId: launch.workerId, at })
      return true
    },
    async stop(workerId: string, graceMs: number): Promise<void> {
      const file = await files.read(workerId)
      if (file === undefined) return
      if (file.exit === undefined && isLiving(file)) await terminate(file, graceMs)
      await settle(file)
    },
    /** Notices deaths of workers whose parent we are not. */
    watchAdopted: (): AsyncDisposableStack => watchAdopted(files, { settle, isOurs: ends.isOurs, emit }),
  }
}

/** Records the ends of workers, each once. */
function createEnds({ files, emit, warn }: WorkerLivesDeps) {
  const children = new Map<string, Promise<Exit>>()
  const settling = new Map<string, Promise<WorkerFile>>()

  /** The record as it is now: with its exit, if the process is dead. */
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
    // One that stood by may have an endpoint by now.
    const ended = { ...(recorded ?? file), exit: recorded?.exit ?? exit }
    if (recorded !== undefined && recorded.exit === undefined) files.write(ended)
    emit({ kind: 'died', workerId, at: ended.exit.at })
    return ended
  }

  return {
    settle,
    isOurs: (workerId: string): boolean => children.has(workerId),
    discard: async (file: WorkerFile): Promise<void> => {
      if (isLiving(file)) await terminate(file, 0)
      await settle(file)
      await files.remove(file.workerId)
    },
    follow: (spawned: Spawned): Spawned => {
      const { file, exit } = spawned
      children.set(file.workerId, exit)
      exit
        .then(async () => {
          // Another process may have its id by now, in the same directory.
          if ((await files.read(file.workerId))?.pid === file.pid) await settle(file)
          return undefined
        })
        .catch((error: unknown) => warn(`the end of worker ${file.workerId} could not be recorded: ${String(error)}`))
      return spawned
    },
  }
}

export const isLiving = (file: WorkerFile): boolean => lifeOf(file.pid) === file.life

interface Spawned {
  readonly file: WorkerFile
  readonly exit: Promise<Exit>
  readonly input: Writable | null
}

interface Assignment {
  readonly env: Readonly<Record<string, string>>
  /** What its file says of it. */
  readonly known: Omit<WorkerFile, 'instanceId' | 'pid' | 'life' | 'startedAt' | 'exit'>
}

async function assignmentOf({ files, pythonOf, ...directories }: WorkerLivesDeps, launch: WorkerLaunch): Promise<Assignment> {
  const { workerId, endpointId, specHash, build, models } = launch
  const { buildsDirectory, modelsDirectory } = directories
  const scratch = files.dirOf(workerId)
  const pythonPath = await pythonOf(build)
  const withModels = { ...launch, env: await linkModels(launch, { directory: modelsDirectory, scratch }) }
  const uses = {
    ...(build === undefined ? {} : { buildId: build.id }),
    ...(models === undefined ? {} : { modelIds: models.map(({ id }) => id) }),
  }
  return {
    env: workerSurroundings({ launch: withModels, scratch, pythonPath, buildsDirectory }),
    known: { workerId, endpointId, specHash, gpuUuids: launch.gpus.map((gpu) => gpu.uuid), ...uses },
  }
}

async function spawnWorker(deps: WorkerLivesDeps, launch: WorkerLaunch, stdin: 'ignore' | 'pipe' = 'ignore'): Promise<Spawned> {
  const { files, instanceId, agentCommand } = deps
  const { workerId } = launch
  const [command = '', ...args] = agentCommand
  const scratch = files.dirOf(workerId)
  const { env, known } = await assignmentOf(deps, launch)
  const logs = files.open(workerId)
  const child = spawn(command, args, { cwd: scratch, env, detached: true, stdio: [stdin, logs.stdout, logs.stderr] })
  closeSync(logs.stdout)
  closeSync(logs.stderr)
  const { pid } = child
  if (pid === undefined) {
    const error = await new Promise<Error>((resolve) => child.once('error', resolve))
    await files.remove(workerId)
    throw new RunyardError('internal', `The agent cannot be started: ${error.message}.`, { cause: error, fault: 'host' })
  }
  // The record is written before anything is awaited, so that a scaler that dies now leaves no unknown worker.
  const file = { instanceId, ...known, pid, life: lifeOf(pid) ?? 'gone', startedAt: Date.now() }
  files.write(file)
  preferToLose(pid)
  yieldToControlPlane(pid)
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (code, name) => resolve({ at: Date.now(), exitCode: code ?? exitCodeOf(name), oomKilled: false }))
  })
  child.stdin?.on('error', () => undefined)
  child.unref()
  return { file, exit, input: child.stdin }
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
    setPriority(pid, NICENESS)
    writeFileSync(`/proc/${pid}/autogroup`, String(NICENESS))
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
