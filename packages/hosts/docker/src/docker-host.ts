// A Docker Engine behind the host port. Every call is bounded and every vendor error leaves as one sentence. A start is one create and one
// start; the container's name makes it idempotent. Nothing is remembered that a new driver could not observe again.
import { setTimeout as sleep } from 'node:timers/promises'
import { readGpuInventory, type RunCommand } from '@runyard/host-gpus'
import { RunyardError } from '@runyard/schema'
import type { EngineConnection, HostDriver, HostOffer, LogLine, WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { watchContainers } from './container-events.ts'
import { createLogDecoder } from './container-logs.ts'
import { containerName, toContainerOptions } from './container-spec.ts'
import { createDiskGuard, type DiskGuard } from './disk.ts'
import { messageOf, statusOf, toRunyardError } from './docker-errors.ts'
import { findImage, hasImage, pullImage } from './images.ts'
import { cardsOfOthers, createObserver } from './observed.ts'
import { openEngine } from './engine.ts'
import { removeContainer } from './remove-container.ts'

/** No short call of the engine takes longer on a living host; then it counts as unreachable. */
const CALL_TIMEOUT_MS = 120_000
const POLL_MS = 50
const POLLS = 600
/** A container's output is read at 20 MiB a second at most: a flood waits in the engine's files, which are bounded. */
const READ_AT_ONCE_BYTES = 2 ** 20
const READ_PAUSE_MS = 50

export interface DockerHostOptions {
  readonly label: string
  readonly connection: EngineConnection
  /** Only containers with this label are ours. */
  readonly instanceId: string
  /** The volume of `ensureAgentVolume`; undefined: only images with their own handler can start. */
  readonly agentVolume?: string | undefined
  /** One sentence per change in what is wrong with the host's cards. */
  readonly log?: { warn(message: string): void } | undefined
  /** How often containers are measured where the engine cannot limit what they write; default: a minute. */
  readonly measureEveryMs?: number | undefined
  /** Runs nvidia-smi; default: on this machine. */
  readonly run?: RunCommand | undefined
}

/** Opens nothing: a host that is away is found out by the first call. */
export function createDockerHost(options: DockerHostOptions): HostDriver {
  const { label, connection, instanceId } = options
  const reached = openEngine(connection)
  const short = reached.docker({ timeout: CALL_TIMEOUT_MS })
  // Logs, events, pulls and stops last as long as they last; their callers bound them.
  const long = reached.docker()
  const disk = createDiskGuard(short, options)
  const engine: Engine = { docker: short, disk, fewFiles: undefined, asking: undefined }
  const observer = createObserver(short, { instanceId, disk })
  const container = (docker: Docker, workerId: string): Docker.Container => docker.getContainer(containerName(instanceId, workerId))
  const readInventory = createInventoryReader(short, options)

  async function call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toRunyardError(error, { doing, engine: reached.name })
    }
  }

  return {
    label,
    kind: 'docker',
    identify: () => call('say which engine it is', () => identify(short)),
    inventory: () => call('describe the host', readInventory),
    cardsOfOthers: () => call('list the workers of others', () => cardsOfOthers(short, instanceId)),
    listWorkers: () => call('list the workers', () => observer.list()),
    hasImage: (image) => call(`look for the image ${image}`, () => hasImage(short, image)),
    imageId: (image) => call(`look up the image ${image}`, async () => (await findImage(short, image))?.Id),
    pullImage: (image, pull) => call(`pull the image ${image}`, () => pullImage(long, image, pull)),
    startWorker: (launch) => call(`start worker ${launch.workerId}`, () => start(engine, launch, options)),
    stopWorker: (workerId, { graceMs }) => call(`stop worker ${workerId}`, () => stop(container(long, workerId), graceMs)),
    removeWorker: (workerId) => call(`remove worker ${workerId}`, () => removeContainer(container(short, workerId))),
    tailLogs: (workerId, lines) => call(`read the logs of worker ${workerId}`, () => tail(container(short, workerId), lines)),
    followLogs: (workerId, follow) => call(`follow the logs of worker ${workerId}`, () => followLogs(container(long, workerId), follow)),
    watch: (onEvent) => watchContainers(long, instanceId, onEvent),
    // Watches and follows are closed by who opened them.
    [Symbol.asyncDispose]: () => reached[Symbol.asyncDispose](),
  }
}

function createInventoryReader(docker: Docker, { label, log, run }: DockerHostOptions): () => Promise<HostOffer> {
  let lastWarnings = ''
  return async () => {
    const [info, { gpus, cudaVersion, warnings }] = await Promise.all([docker.info() as Promise<EngineInfo>, readGpuInventory(run)])
    if (warnings.join() !== lastWarnings) for (const warning of warnings) log?.warn(`host ${label}: ${warning}`)
    lastWarnings = warnings.join()
    return { kind: 'docker', cpuCount: info.NCPU, memoryBytes: info.MemTotal, gpus: [...gpus], cudaVersion }
  }
}

/** An engine keeps its id for as long as it keeps its data. */
async function identify(docker: Docker): Promise<string> {
  const { ID, Name } = (await docker.info()) as EngineInfo
  return `docker:${ID === '' ? Name : ID}`
}

interface EngineInfo {
  readonly ID: string
  readonly Name: string
  readonly NCPU: number
  readonly MemTotal: number
}

interface Engine {
  readonly docker: Docker
  readonly disk: DiskGuard
  /** It refused our limit of open files, since its own is lower; undefined before the first start. */
  fewFiles: boolean | undefined
  /** The start that finds out; the others wait for it, so that none meets a container that is refused. */
  asking: Promise<unknown> | undefined
}

async function start(engine: Engine, launch: WorkerLaunch, options: DockerHostOptions): Promise<void> {
  while (engine.fewFiles === undefined && engine.asking !== undefined) await engine.asking
  if (engine.fewFiles !== undefined) return startOnce(engine, launch, options)
  const first = startFirst(engine, launch, options)
  engine.asking = first.catch(() => undefined)
  try {
    await first
  } finally {
    engine.asking = undefined
  }
}

async function startFirst(engine: Engine, launch: WorkerLaunch, options: DockerHostOptions): Promise<void> {
  try {
    await startOnce(engine, launch, options)
    engine.fewFiles = false
  } catch (error) {
    if (!/setting rlimit type/.test(messageOf(error))) throw error
    engine.fewFiles = true
    await startOnce(engine, launch, options)
  }
}

async function startOnce(engine: Engine, launch: WorkerLaunch, { instanceId, agentVolume }: DockerHostOptions): Promise<void> {
  const fewFiles = engine.fewFiles === true
  const created = await createOrFind(engine, launch, toContainerOptions(launch, { instanceId, agentVolume, fewFiles }))
  try {
    await created.start()
  } catch (error) {
    // 304: it runs already. Anything else is a refusal, and a container that never ran is no evidence of anything.
    if (statusOf(error) === 304) return
    await removeContainer(created).catch(() => undefined)
    throw error
  }
}

async function createOrFind(
  { docker, disk }: Engine,
  launch: WorkerLaunch,
  options: Docker.ContainerCreateOptions,
): Promise<Docker.Container> {
  try {
    return await disk.create(options, launch)
  } catch (error) {
    if (statusOf(error) !== 409 || !/is already in use/.test(messageOf(error))) throw error
    const existing = docker.getContainer(options.name ?? '')
    const state = await stateOnceCreated(existing)
    if (state === 'exited' || state === 'dead') {
      throw new RunyardError('conflict', `Worker ${options.Hostname ?? ''} has already ended; it is not started twice.`, { cause: error })
    }
    return existing
  }
}

/** Docker reserves a name before the container can be found by it: another start of the same worker may be just there. */
async function stateOnceCreated(container: Docker.Container): Promise<string> {
  for (let poll = 1; ; poll++) {
    try {
      return (await container.inspect()).State.Status
    } catch (error) {
      if (statusOf(error) !== 404 || poll === POLLS) throw error
    }
    await sleep(POLL_MS)
  }
}

async function stop(container: Docker.Container, graceMs: number): Promise<void> {
  try {
    await container.stop({ t: Math.ceil(graceMs / 1000) })
  } catch (error) {
    if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error
  }
}

async function tail(container: Docker.Container, lines: number): Promise<readonly LogLine[]> {
  const decoder = createLogDecoder()
  try {
    const output: unknown = await container.logs({ stdout: true, stderr: true, timestamps: true, tail: lines, follow: false })
    return [...(Buffer.isBuffer(output) ? decoder.push(output) : []), ...decoder.end()]
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw error
  }
}

interface Follow {
  readonly sinceMs: number
  readonly onLine: (line: LogLine) => void
  readonly signal: AbortSignal
}

async function followLogs(container: Docker.Container, { sinceMs, onLine, signal }: Follow): Promise<void> {
  const decoder = createLogDecoder()
  try {
    const stream = await container.logs({
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: true,
      since: sinceMs / 1000,
      abortSignal: signal,
    })
    let left = READ_AT_ONCE_BYTES
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const line of decoder.push(chunk)) onLine(line)
      left -= chunk.length
      if (left > 0) continue
      await sleep(READ_PAUSE_MS, undefined, { signal })
      left = READ_AT_ONCE_BYTES
    }
    for (const line of decoder.end()) onLine(line)
  } catch (error) {
    if (signal.aborted || statusOf(error) === 404) return
    throw error
  }
}
