// Creates and starts a worker's container, once per worker even if called repeatedly. Remembers the capabilities of the engine that it discovers.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError, type WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { adjustableLimits, containerName, environmentOf, LABELS, toContainerOptions, type SpecOptions } from './container-spec.ts'
import type { DiskGuard } from './disk.ts'
import { messageOf, statusOf } from './docker-errors.ts'
import { removeContainer } from './remove-container.ts'
import { openStandbyLine } from './standby-line.ts'

const POLL_MS = 50
const POLLS = 600

export type StartOptions = Pick<SpecOptions, 'agentVolume' | 'extraHosts' | 'sandbox' | 'isStandby' | 'gpuWay'>

export type Starter = ReturnType<typeof createStarter>

export function createStarter(docker: Docker, { instanceId, disk }: { readonly instanceId: string; readonly disk: DiskGuard }) {
  const engine: Engine = { docker, disk, instanceId, fewFiles: undefined, asking: undefined }
  return { start: (launch: WorkerLaunch, options: StartOptions): Promise<void> => start(engine, launch, options) }
}

interface Engine {
  readonly docker: Docker
  readonly disk: DiskGuard
  readonly instanceId: string
  /** It refused our limit of open files, since its own is lower; undefined before the first start. */
  fewFiles: boolean | undefined
  /** The start that finds out; the others wait for it, so that none meets a container that is refused. */
  asking: Promise<unknown> | undefined
}

async function start(engine: Engine, launch: WorkerLaunch, options: StartOptions): Promise<void> {
  while (engine.fewFiles === undefined && engine.asking !== undefined) await engine.asking
  if (engine.fewFiles !== undefined) return startWithin(engine, launch, options)
  const first = startWithin(engine, launch, options)
  engine.asking = first.catch(() => undefined)
  try {
    await first
  } finally {
    engine.asking = undefined
  }
}

/** Within the engine's own limits. A later start may also be the first that it refuses: it was restarted, or the first start found its worker running. */
async function startWithin(engine: Engine, launch: WorkerLaunch, options: StartOptions): Promise<void> {
  const { fewFiles } = engine
  try {
    await startOnce(engine, launch, options)
    engine.fewFiles ??= false
  } catch (error) {
    if (fewFiles === true || !/setting rlimit type/.test(messageOf(error))) throw error
    engine.fewFiles = true
    await startOnce(engine, launch, options)
  }
}

async function startOnce(engine: Engine, launch: WorkerLaunch, options: StartOptions): Promise<void> {
  const { instanceId } = engine
  const fewFiles = engine.fewFiles === true
  const { container: created, isStandby } = await createOrFind(
    engine,
    launch,
    toContainerOptions(launch, { instanceId, fewFiles, ...options }),
  )
  try {
    if (isStandby) await takeOn(engine, launch)
    else await created.start()
  } catch (error) {
    // 304: it runs already. Anything else is a refusal, and a container that never ran is no evidence of anything.
    if (statusOf(error) === 304) return
    await removeContainer(created).catch(() => undefined)
    const names = [created.id, containerName(instanceId, launch.workerId)]
    if (!isStandby && !isSandboxGone(error, names)) throw error
    await startOnce(engine, launch, { agentVolume: options.agentVolume, extraHosts: options.extraHosts, gpuWay: options.gpuWay })
  }
}

/** Another scaler prepared the worker and held its line. */
async function takeOn({ docker, instanceId }: Engine, launch: WorkerLaunch): Promise<void> {
  const line = await openStandbyLine(docker, containerName(instanceId, launch.workerId))
  await line.handOver({ limits: adjustableLimits(launch), env: environmentOf(launch) })
}

/** The engine looks for the sandbox only when it starts the container that joins it. `own`: the names of that container. */
function isSandboxGone(error: unknown, own: readonly string[]): boolean {
  const missing = /No such container: (\S+)/.exec(messageOf(error))?.[1]
  if (missing !== undefined) return !own.includes(missing)
  return /cannot join network of a non running container/.test(messageOf(error))
}

interface Found {
  readonly container: Docker.Container
  /** It runs, and waits for its endpoint. */
  readonly isStandby: boolean
}

async function createOrFind(engine: Engine, launch: WorkerLaunch, options: Docker.ContainerCreateOptions): Promise<Found> {
  const { docker, disk } = engine
  try {
    return { container: await disk.create(options, launch), isStandby: false }
  } catch (error) {
    if (statusOf(error) !== 409 || !/is already in use/.test(messageOf(error))) throw error
    const existing = docker.getContainer(options.name ?? '')
    const { state, isStandby } = await seenOnceCreated(existing)
    if (isStandby && state !== 'running') {
      // It ended while it waited.
      await removeContainer(existing)
      return createOrFind(engine, launch, options)
    }
    if (state === 'exited' || state === 'dead') {
      throw new RunyardError('conflict', `Worker ${launch.workerId} has already ended; it is not started twice.`, { cause: error })
    }
    return { container: existing, isStandby }
  }
}

/** Docker reserves a name before the container can be found by it: another start of the same worker may be just there. */
async function seenOnceCreated(container: Docker.Container): Promise<{ readonly state: string; readonly isStandby: boolean }> {
  for (let poll = 1; ; poll++) {
    try {
      const { State, Config } = await container.inspect()
      return { state: State.Status, isStandby: Config.Labels[LABELS.standby] !== undefined }
    } catch (error) {
      if (statusOf(error) !== 404 || poll === POLLS) throw error
    }
    await sleep(POLL_MS)
  }
}
