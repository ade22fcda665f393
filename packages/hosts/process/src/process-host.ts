// Workers as child processes, each in its own session, for machines without Docker. A restarted scaler finds running workers by their files
// ("observing is recovery"); their exit code is unknown (null) if another process started them. Unlike containers: memory, CPU and pid limits are not
// enforced, nothing is isolated, and images are ignored.
import { execFile } from 'node:child_process'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { planeUrlOf, type PlaneSettings } from '@runyard/core'
import { createGpuWatch, CUDA_CHECK, type FollowCommand, type GpuWatch, type RunCommand } from '@runyard/host-gpus'
import { findOnPath, onceAtATime } from '@runyard/kit'
import {
  systemCode,
  RunyardError,
  type CardProbe,
  type HostCapabilities,
  type HostDriver,
  type HostEvent,
  type HostFinding,
  type ObservedWorker,
  type WorkerLaunch,
} from '@runyard/schema'
import { createBuilds, removeTree } from './builds.ts'
import { killWorkers } from './orphans.ts'
import { followProcessLogs, tailProcessLogs } from './process-logs.ts'
import { findMarked } from './process-table.ts'
import { createModels } from './models.ts'
import { createPythons, type Pythons } from './pythons.ts'
import { createProcessStandbys, type ProcessStandbys } from './standbys.ts'
import { createWorkerFiles, type WorkerFile, type WorkerFiles } from './worker-files.ts'
import { createVolumeDirectories } from './volumes.ts'
import { createWorkerLives, isLiving, type WorkerLives } from './worker-life.ts'
import { SCRATCH_VARIABLE } from './worker-surroundings.ts'

export interface ProcessHostOptions {
  readonly label: string
  /** Which host this is: `processHostId`. */
  readonly hostId: string
  readonly instanceId: string
  /** One directory per worker is made and removed here. */
  readonly scratchDir: string
  /** The data of volumes; default: beside the scratch directories. */
  readonly volumesDir?: string | undefined
  /** Models of a hub; default likewise. */
  readonly modelsDir?: string | undefined
  /** The agent and its arguments, e.g. `[process.execPath, '…/agent.mjs']`. */
  readonly agentCommand: readonly string[]
  /** The Python that runs handlers, given to the agent as RUNYARD_PYTHON. */
  readonly pythonPath?: string | undefined
  /** Minor version → interpreter, for deployed apps that were built for it. */
  readonly pythons?: Readonly<Record<string, string>> | undefined
  /** Default: this machine, at the default port. */
  readonly plane?: PlaneSettings
  /** Where Python is looked for; default: this process's own. */
  readonly env?: NodeJS.ProcessEnv
  readonly log?: { warn(message: string): void } | undefined
  /** Pause after a start before the next standby worker is made; default: two seconds. */
  readonly quietMs?: number | undefined
  /** Run and follow nvidia-smi; default: on this machine. */
  readonly run?: RunCommand | undefined
  readonly follow?: FollowCommand | undefined
}

const CAPABILITIES: HostCapabilities = {
  runsImages: false,
  isolates: false,
  gpuChoice: 'uuid',
  remembersExits: false,
  cardsByVariable: true,
}
const LOOPBACK = '127.0.0.1'
const PLANE_ANSWERS_WITHIN_MS = 5000
const PROBE_WITHIN_MS = 30_000
const NO_PYTHON = 'Workers as processes need Python 3, and python3 was not found (Debian: apt-get install python3).'
const DEFAULT_PLANE: PlaneSettings = { host: LOOPBACK, port: 8081 }

/** Processes are made of what this machine has. */
const WITHOUT_IMAGES = {
  hasImage: async () => true,
  diskSpace: async () => undefined,
  heldImages: async () => [],
  removeImage: async () => false,
  imageId: async () => undefined,
  pullImage: async () => undefined,
} satisfies Partial<HostDriver>

export function createProcessHost(options: ProcessHostOptions): HostDriver {
  const { label, scratchDir, instanceId, agentCommand, pythonPath, env = process.env } = options
  const files = createWorkerFiles({ scratchDir, instanceId })
  const listeners = new Set<(event: HostEvent) => void>()
  const emit = (event: HostEvent): void => listeners.forEach((listener) => listener(event))
  const warn = (message: string): void => options.log?.warn(`host ${label}: ${message}`)
  const pythons = createPythons({ pythonPath, configured: options.pythons ?? {}, env })
  const directories = { buildsDirectory: buildsDirectoryOf(options), modelsDirectory: options.modelsDir ?? `${scratchDir}-models` }
  const lives = createWorkerLives({ files, instanceId, agentCommand, pythonOf: (build) => pythons.of(build), ...directories, emit, warn })
  const gpus = createGpuWatch({ run: options.run, follow: options.follow, warn })
  const remove = async (workerId: string): Promise<void> => {
    await lives.stop(workerId, 0)
    if ((await files.read(workerId)) !== undefined) await files.remove(workerId)
  }
  const standbys = createProcessStandbys({ park: (launch) => lives.park(launch), remove, warn, quietMs: options.quietMs })

  const start = onceAtATime(
    ({ workerId }) => workerId,
    (launch: WorkerLaunch) => begin(options, launch, { lives, standbys }),
  )

  return {
    ...describe(options),
    ...inventoryOf(gpus, { files, pythons }),
    ...createBuilds({ directory: directories.buildsDirectory, files }),
    ...createModels({ directory: directories.modelsDirectory, files }),
    async listWorkers() {
      const known = (await files.list()).filter(({ workerId }) => !standbys.holds(workerId))
      await files.boundLogs(known)
      return Promise.all(known.map(async (file) => toObserved(await lives.settle(file))))
    },
    ...WITHOUT_IMAGES,
    async startWorker(launch) {
      refuseWhatNeedsContainers(launch)
      await start(launch)
    },
    stopWorker: (workerId, { graceMs }) => lives.stop(workerId, graceMs),
    removeWorker: remove,
    ...preparedIn(standbys),
    ...logsOf(files),
    watch(onEvent) {
      listeners.add(onEvent)
      const watch = lives.watchAdopted()
      watch.defer(() => void listeners.delete(onEvent))
      return watch
    },
    async [Symbol.asyncDispose]() {
      listeners.clear()
      await Promise.all([gpus[Symbol.asyncDispose](), standbys[Symbol.asyncDispose]()])
    },
  }
}

function logsOf(files: WorkerFiles) {
  return {
    async tailLogs(workerId, lines) {
      const file = await files.read(workerId)
      return file === undefined ? [] : tailProcessLogs((source) => files.logOf(workerId, source), lines)
    },
    async followLogs(workerId, follow) {
      const file = await files.read(workerId)
      if (file === undefined) return
      await followProcessLogs((source) => files.logOf(workerId, source), { ...follow, isAlive: () => isLiving(file) })
    },
  } satisfies Partial<HostDriver>
}

/** Beside the directories of workers, whose names are longer. */
const buildsDirectoryOf = ({ scratchDir }: ProcessHostOptions): string => join(scratchDir, 'builds')

const volumesOf = ({ volumesDir, scratchDir }: ProcessHostOptions) => createVolumeDirectories(volumesDir ?? `${scratchDir}-volumes`)

interface Starting {
  readonly lives: WorkerLives
  readonly standbys: ProcessStandbys
}

async function begin(options: ProcessHostOptions, launch: WorkerLaunch, { lives, standbys }: Starting): Promise<void> {
  const whole = { ...launch, env: await volumesOf(options).prepare(launch) }
  const input = standbys.takeInput(launch.workerId)
  if (input !== undefined && (await lives.assign(whole, input))) return
  await lives.start(whole)
}

function preparedIn({ keep, take, count, problem }: ProcessStandbys) {
  return {
    keepReady: (ready) => keep(ready?.standby),
    takeStandby: take,
    standbyCount: count,
    standbyProblem: problem,
  } satisfies Partial<HostDriver>
}

function describe(options: ProcessHostOptions) {
  const { label, hostId } = options
  return {
    label,
    kind: 'process',
    capabilities: CAPABILITIES,
    identify: async () => hostId,
    ...prepare(options),
    probeCard: (uuid) => probeCard(options, uuid),
    // Nothing marks a process but its files, and those of other data directories are not ours to know.
    cardsOfOthers: async () => [],
    installs: async () => [],
    examine: async () => [],
    async removeAll() {
      await killWorkers(options)
      await removeTree(buildsDirectoryOf(options))
    },
    removeVolume: (volume) => volumesOf(options).remove(volume),
  } satisfies Partial<HostDriver>
}

function prepare({ pythonPath, plane = DEFAULT_PLANE, env = process.env }: ProcessHostOptions) {
  const findPython = async (): Promise<string | undefined> => pythonPath ?? (await findOnPath('python3', env))
  return {
    async probe() {
      return (await findPython()) === undefined
        ? { kind: 'failed', message: NO_PYTHON }
        : { kind: 'ok', words: 'processes of this machine' }
    },
    async prepare() {
      if ((await findPython()) === undefined) throw new RunyardError('bad_request', NO_PYTHON)
      return { words: 'processes of this machine', planeAddress: LOOPBACK }
    },
    planeUrl: async () => planeUrlOf(plane, LOOPBACK),
    planeName: 'runyard.localhost',
    provePlane: () => provePlane(planeUrlOf(plane, LOOPBACK)),
  } satisfies Partial<HostDriver>
}

async function provePlane(planeUrl: string): Promise<HostFinding> {
  const subject = 'worker plane'
  const reached = await fetch(`${planeUrl}/healthz`, { signal: AbortSignal.timeout(PLANE_ANSWERS_WITHIN_MS) }).then(Boolean, () => false)
  if (reached) return { subject, verdict: 'ok', words: `processes reach ${planeUrl}` }
  return {
    subject,
    verdict: 'missing',
    words: `processes of this machine do not reach ${planeUrl}`,
    mend: 'set workerPlane.url to what they reach',
  }
}

/** An image's own handler or server lives in the image, and there is none here; nor is there anything that shuts a worker in. */
function refuseWhatNeedsContainers({ withAgent, servesImage, image, runtime }: WorkerLaunch): void {
  if (runtime !== undefined)
    throw new RunyardError('unprocessable', `The runtime ${runtime} (setting runtimes) needs a Docker host; this host runs processes.`, {
      fault: 'request',
    })
  if (withAgent && servesImage !== true) return
  throw new RunyardError(
    'unprocessable',
    `The image ${image} brings its own ${withAgent ? 'server' : 'handler'}, which needs a Docker host; this host runs processes.`,
    { fault: 'request' },
  )
}

function toObserved({ workerId, endpointId, specHash, startedAt, gpuUuids, exit }: WorkerFile): ObservedWorker {
  return { workerId, endpointId, specHash, state: exit === undefined ? 'running' : 'exited', startedAt, exit, gpuUuids }
}

interface Known {
  readonly files: WorkerFiles
  readonly pythons: Pythons
}

function inventoryOf(watch: GpuWatch, { files, pythons }: Known) {
  return {
    processesOf: (workerIds) => findMarked(workerIds.map((id) => `${SCRATCH_VARIABLE}=${files.dirOf(id)}`)),
    async inventory(usedAfter) {
      const { gpus, ...seen } = await watch.look(usedAfter)
      const versions = pythons.known()
      const memoryBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity)
      return {
        cpuCount: availableParallelism(),
        memoryBytes,
        gpus: [...gpus],
        runtimes: [],
        ...(versions === undefined ? {} : { pythons: [...versions] }),
        ...seen,
      }
    },
    watchGpus: (onReport) => watch.onReport(onReport),
  } satisfies Partial<HostDriver>
}

/** By the Python that runs handlers. */
async function probeCard({ pythonPath = 'python3', env = process.env }: ProcessHostOptions, uuid: string): Promise<CardProbe> {
  try {
    const how = { env: { ...env, CUDA_VISIBLE_DEVICES: uuid }, timeout: PROBE_WITHIN_MS, killSignal: 'SIGKILL' } as const
    await promisify(execFile)(pythonPath, ['-c', CUDA_CHECK], how)
    return { kind: 'passed' }
  } catch (error) {
    if (!(error instanceof Error) || !('stdout' in error) || systemCode(error) === 'ENOENT') throw error
    const words = String(error.stdout).trim()
    return { kind: 'failed', message: words === '' ? 'a program that uses the GPU does not end' : words }
  }
}
