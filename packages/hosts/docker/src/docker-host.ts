// A Docker Engine behind the host port. Every call is bounded and every vendor error leaves as one sentence. A start is one create and one
// start; the container's name makes it idempotent. Nothing is remembered that a new driver could not observe again.
import { createGpuWatch, CUDA_CHECK, readGpuInventory, type FollowCommand, type GpuWatch, type RunCommand } from '@runyard/host-gpus'
import type { CardProbe, DiskSpace, EngineConnection, HostCapabilities, HostDriver, HostOffer } from '@runyard/schema'
import type Docker from 'dockerode'
import { createBuilds, type Builds } from './builds.ts'
import { watchContainers } from './container-events.ts'
import { processesOf } from './container-processes.ts'
import { containerName, PLANE_NAME } from './container-spec.ts'
import { createDiskSpace } from './disk-space.ts'
import { createDiskGuard } from './disk.ts'
import { statusOf, toRunyardError } from './docker-errors.ts'
import { openEngine, type Engine } from './engine.ts'
import { examineEngine } from './examine.ts'
import { commandsOn } from './host-commands.ts'
import { gpuRequest, readGpuWay, type GpuWay } from './gpu-way.ts'
import { digestOf, findImage, hasImage, heldImages, pullImage, removeImage, WORKER_IMAGE } from './images.ts'
import { createModels, type Models } from './models.ts'
import { clearEngine, listInstalls, probeEngine, removeAllWorkers } from './installs.ts'
import { cardsOfOthers, createObserver } from './observed.ts'
import { removeWithSandbox } from './network-sandboxes.ts'
import { createPythonLook } from './python-look.ts'
import { createPreparer, type PreparerOptions } from './prepare.ts'
import { runProbe } from './probe-container.ts'
import { followLogs, tail } from './container-logs.ts'
import { createStarts, type Starts } from './starts.ts'
import { removeVolumeData } from './volumes.ts'

/** No short call of the engine takes longer on a living host; then it counts as unreachable. */
const CALL_TIMEOUT_MS = 120_000

/** After SIGKILL. */
const KILLED_WITHIN_MS = 30_000

const CAPABILITIES: HostCapabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true, mountsVolumes: true }

export interface DockerHostOptions extends PreparerOptions {
  readonly label: string
  readonly connection: EngineConnection
  /** Only containers with this label are ours. */
  readonly instanceId: string
  /** One sentence per change in what is wrong with the host's cards. */
  readonly log?: { warn(message: string): void } | undefined
  /** How often containers are measured where the engine cannot limit what they write; default: a minute. */
  readonly measureEveryMs?: number | undefined
  /** Before all other arguments of ssh; for tests. */
  readonly sshArguments?: readonly string[] | undefined
  /** Run and follow nvidia-smi; default: where the engine runs. */
  readonly run?: RunCommand | undefined
  readonly follow?: FollowCommand | undefined
}

/** Opens nothing: a host that is away is found out by the first call. */
export function createDockerHost(options: DockerHostOptions): HostDriver {
  const { label, connection, instanceId } = options
  const engine = openEngine(connection, options.sshArguments)
  const short = engine.docker({ timeout: CALL_TIMEOUT_MS })
  // Logs, events, pulls and stops last as long as they last; their callers bound them.
  const long = engine.docker()
  const disk = createDiskGuard(short, options)
  const preparer = createPreparer(engine, options)
  const gpuWay = () => readGpuWay(engine, short, options.env)
  const starts = createStarts(short, { ...options, disk, preparer, long, gpuWay })
  const observer = createObserver(short, { instanceId, disk, isHidden: starts.isHidden, note: starts.note })
  const container = (docker: Docker, workerId: string): Docker.Container => docker.getContainer(containerName(instanceId, workerId))
  const gpus = watchGpus(engine, options)
  const diskSpace = createDiskSpace(engine)
  const readInventory = createInventoryReader(short, gpus, diskSpace)

  async function call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw toRunyardError(error, { doing, engine: engine.name })
    }
  }

  return {
    label,
    kind: 'docker',
    sharedSocket: engine.tunnel?.socket,
    capabilities: CAPABILITIES,
    ...describe(engine, { options, short, call, gpuWay }),
    prepare: (how) => preparer.prepare(how),
    planeUrl: () => preparer.planeUrl(),
    provePlane: () => preparer.provePlane(),
    inventory: (usedAfter) => call('describe the host', () => readInventory(usedAfter)),
    watchGpus: (onReport) => gpus.onReport(onReport),
    processesOf: (ids) => call('list processes of workers', () => processesOf(ids.map((id) => container(short, id)))),
    listWorkers: () => call('list the workers', () => observer.list()),
    ...imagesOn(call, { short, long }),
    ...contentsOn(call, { long, short, instanceId }),
    diskSpace: () => call('measure the disk', diskSpace),
    startWorker: (launch) => call(`start worker ${launch.workerId}`, () => starts.start(launch)),
    stopWorker: (workerId, { graceMs }) => call(`stop worker ${workerId}`, () => stop(container(long, workerId), graceMs)),
    removeWorker: (workerId) => call(`remove worker ${workerId}`, () => removeWithSandbox(short, container(short, workerId))),
    tailLogs: (workerId, lines) => call(`read the logs of worker ${workerId}`, () => tail(container(short, workerId), lines)),
    followLogs: (workerId, follow) => call(`follow the logs of worker ${workerId}`, () => followLogs(container(long, workerId), follow)),
    watch: (onEvent) => watchContainers(long, instanceId, onEvent),
    ...preparedIn(starts),
    // Watches and follows are closed by who opened them.
    async [Symbol.asyncDispose]() {
      await Promise.all([starts[Symbol.asyncDispose](), gpus[Symbol.asyncDispose]()])
      await engine[Symbol.asyncDispose]()
    },
  }
}

function preparedIn({ keepReady, takeStandby, standbyCount, standbyProblem }: Starts) {
  return { keepReady, takeStandby, standbyCount, standbyProblem } satisfies Partial<HostDriver>
}

function imagesOn(call: Describing['call'], { short, long }: { readonly short: Docker; readonly long: Docker }) {
  const pythonIn = createPythonLook(short)
  return {
    hasImage: (image) => call(`look for the image ${image}`, () => hasImage(short, image)),
    heldImages: (names) => call('list images', () => heldImages(short, names)),
    removeImage: (name) => call(`remove the image ${name}`, () => removeImage(short, name)),
    imageDigest: (image) => call(`look up the image ${image}`, () => digestOf(short, image)),
    pythonOf: (image) => call(`look for Python in ${image}`, () => pythonIn(image)),
    imageId: (image) => call(`look up the image ${image}`, async () => (await findImage(short, image))?.Id),
    pullImage: (image, pull) => call(`pull the image ${image}`, () => pullImage(long, image, pull)),
  } satisfies Partial<HostDriver>
}

interface Contents {
  readonly long: Docker
  readonly short: Docker
  readonly instanceId: string
}

function contentsOn(call: Describing['call'], { long, short, instanceId }: Contents) {
  return {
    ...buildsOn(call, createBuilds(long, instanceId)),
    ...modelsOn(call, createModels(long, instanceId)),
    removeVolume: (volume) => call(`remove the data of volume ${volume.volumeId}`, () => removeVolumeData(short, volume)),
  } satisfies Partial<HostDriver>
}

function buildsOn(call: Describing['call'], { placeBuild, builds, removeBuild }: Builds) {
  return {
    placeBuild: (build) => call(`unpack the app of build ${build.id}`, () => placeBuild(build)),
    builds: () => call('list the builds', builds),
    removeBuild: (id) => call(`remove the build ${id}`, () => removeBuild(id)),
  } satisfies Partial<HostDriver>
}

function modelsOn(call: Describing['call'], { placeModel, models, removeModel }: Models) {
  return {
    placeModel: (model) => call(`keep the model ${model.id}`, () => placeModel(model)),
    models: () => call('list the models', models),
    removeModel: (id) => call(`remove the model ${id}`, () => removeModel(id)),
  } satisfies Partial<HostDriver>
}

interface Describing {
  readonly options: DockerHostOptions
  readonly short: Docker
  readonly call: <T>(doing: string, work: () => Promise<T>) => Promise<T>
  readonly gpuWay: () => Promise<GpuWay>
}

function describe(engine: Engine, { options, short, call, gpuWay }: Describing) {
  const { instanceId, run, env = process.env } = options
  return {
    planeName: PLANE_NAME,
    async probe() {
      const probe = await probeEngine(engine)
      return probe.kind === 'ok' ? { kind: 'ok', words: probe.version } : probe
    },
    async examine(image, runtimes = []) {
      const onHost = run ?? commandsOn(engine).run
      const { gpus } = await readGpuInventory(onHost)
      return examineEngine(engine, {
        image,
        runtimes,
        cards: gpus.filter(({ healthy }) => healthy).map(({ uuid }) => uuid),
        env,
        run: onHost,
      })
    },
    identify: () => call('say which engine it is', () => identify(short)),
    installs: () => listInstalls(engine),
    removeAll: async () => void (await removeAllWorkers(engine, instanceId)),
    clear: () => clearEngine(engine, instanceId),
    probeCard: async (uuid) => probeCard(short, uuid, await gpuWay()),
    cardsOfOthers: () => call('list the workers of others', () => cardsOfOthers(short, instanceId)),
  } satisfies Partial<HostDriver>
}

function watchGpus(engine: Engine, { label, log, run, follow }: DockerHostOptions): GpuWatch {
  const there = commandsOn(engine)
  const warn = (message: string): void => log?.warn(`host ${label}: ${message}`)
  return createGpuWatch({ run: run ?? there.run, follow: follow ?? there.follow, warn })
}

function createInventoryReader(
  docker: Docker,
  watch: GpuWatch,
  diskSpace: () => Promise<DiskSpace | undefined>,
): (usedAfter?: number) => Promise<HostOffer> {
  return async (usedAfter) => {
    const [info, { gpus, ...seen }, disk] = await Promise.all([docker.info() as Promise<EngineInfo>, watch.look(usedAfter), diskSpace()])
    const runtimes = info.Runtimes == null ? {} : { runtimes: Object.keys(info.Runtimes).toSorted() }
    return { cpuCount: info.NCPU, memoryBytes: info.MemTotal, ...runtimes, gpus: [...gpus], disk, ...seen }
  }
}

/** In a container like a worker's, of the worker image. */
async function probeCard(docker: Docker, uuid: string, way: GpuWay): Promise<CardProbe> {
  try {
    const { exitCode, output } = await runProbe(docker, {
      image: WORKER_IMAGE,
      entrypoint: ['python3', '-c'],
      args: [CUDA_CHECK],
      host: {
        NetworkMode: 'none',
        DeviceRequests: [gpuRequest(way, [uuid], ['gpu', 'compute', 'utility'])],
      },
    })
    if (exitCode === 0) return { kind: 'passed' }
    return { kind: 'failed', message: exitCode === -1 ? 'a program that uses the GPU does not end' : output }
  } catch (error) {
    const refused = toRunyardError(error, { doing: 'start a container with the GPU', engine: 'Docker' })
    // Anything else says nothing about the card.
    if (refused.fault !== 'gpu') throw refused
    return { kind: 'failed', message: refused.message.replace(/\.$/, '') }
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
  readonly Runtimes?: Readonly<Record<string, unknown>> | null
}

async function stop(container: Docker.Container, graceMs: number): Promise<void> {
  try {
    // An engine waits for good for a container whose process hangs in the kernel.
    await container.stop({ t: Math.ceil(graceMs / 1000), abortSignal: AbortSignal.timeout(graceMs + KILLED_WITHIN_MS) })
  } catch (error) {
    if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error
  }
}
