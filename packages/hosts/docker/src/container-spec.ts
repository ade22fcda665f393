// Turns a launch into the container that Docker is asked for: names, labels, limits, privileges, mounts, GPUs. Pure.
// Fails closed: a worker gets no GPU, capability or mount that is not listed here.
import { createHash } from 'node:crypto'
import { modelMounts, modelVariables, planeAddressOf } from '@runyard/core'
import { RunyardError, type PlaneName, type LaunchedBuild, type WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { gpuRequest, type GpuWay } from './gpu-way.ts'
import { WORKER_IMAGE } from './images.ts'
import { volumeMounts } from './volume-mounts.ts'
import { WORKER_NETWORK } from './worker-network.ts'

/** Labels on everything of ours. */
export const LABELS = {
  instance: 'runyard',
  endpoint: 'runyard.endpoint',
  worker: 'runyard.worker',
  spec: 'runyard.spec',
  gpus: 'runyard.gpus',
  /** On a network sandbox instead of a worker's labels: the driver that may give it away. */
  sandbox: 'runyard.sandbox',
  /** On a worker that was started before it had an endpoint; its other labels are empty. */
  standby: 'runyard.standby',
  /** On the volume of a deployed app's build. */
  build: 'runyard.app-build',
  /** On the volume of a model from a hub, and its size beside it. */
  model: 'runyard.model',
  modelBytes: 'runyard.model-bytes',
  /** On the volume in which the workers of one owner keep the packages that they install. */
  cache: 'runyard.cache',
  /** On the volumes with the agent, whichever installation made them. */
  agent: 'runyard.agent',
} as const

export const AGENT_MOUNT = '/opt/runyard'
/** Where a worker of a deployed app has its build. */
const APP_MOUNT = '/app'
/** Where a worker's image looks for the archive that it unpacks itself (production §4). */
const ARCHIVE_MOUNT = '/root/.runpod'
export const ARCHIVE_NAME = 'artifact.tar.gz'
/** Where a worker has the cache of its owner. */
const CACHE_MOUNT = '/var/cache/runyard'

/**
 * What root keeps inside a container: the least that apt and pip need to install as root and drop to `_apt` (CHOWN, DAC_OVERRIDE,
 * FOWNER, FSETID, SETUID, SETGID), that the agent needs to signal a handler of another user (KILL), and that a load-balanced image
 * needs to listen on port 80 (NET_BIND_SERVICE). Of Docker's defaults this leaves out NET_RAW (spoofing between workers on one
 * bridge), MKNOD, SYS_CHROOT, SETFCAP, SETPCAP and AUDIT_WRITE.
 */
export const KEPT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETUID', 'SETGID', 'KILL', 'NET_BIND_SERVICE'] as const

const MIB = 2 ** 20
const GIB = 2 ** 30
const LEAST_SHM_BYTES = 64 * MIB
/** vLLM and NCCL need far more /dev/shm than Docker's 64 MiB (worker-api §14.4); it is a ceiling, memory is taken as used. */
const UNLIMITED_SHM_BYTES = 16 * GIB

/** Where the host's memory runs out, the kernel ends a worker before Redis, the gateway or the engine. */
const OOM_SCORE = 500
/** No core files: they would fill the disk. 65,536 open files are enough for a server of models; more is a leak. */
const NO_CORE_FILES = { Name: 'core', Soft: 0, Hard: 0 } as const
const OPEN_FILES = { Name: 'nofile', Soft: 65_536, Hard: 65_536 } as const

export const PLANE_NAME: PlaneName = 'runyard.internal'

/** For /etc/hosts of a worker, or of the sandbox whose network and hosts it shares: the SDKs call load-balanced endpoints at `flash.<plane>` (ADR 87). */
export function planeHosts(planeUrl: string): readonly string[] {
  const address = planeAddressOf(planeUrl)
  return address === undefined ? [] : [PLANE_NAME, `flash.${PLANE_NAME}`].map((name) => `${name}:${address}`)
}

const JOINS = 'container:'

/** The sandbox that a container with this network has joined. */
export function sandboxOf({ NetworkMode = '' }: { readonly NetworkMode?: string | undefined }): string | undefined {
  return NetworkMode.startsWith(JOINS) ? NetworkMode.slice(JOINS.length) : undefined
}

/** One name per instance and worker, so that a second create of the same worker is refused by Docker itself. */
export function containerName(instanceId: string, workerId: string): string {
  return `runyard-${shortOf(instanceId)}-${workerId}`
}

export function buildVolume(instanceId: string, { id, isPacked }: Pick<LaunchedBuild, 'id' | 'isPacked'>): string {
  return `runyard-${isPacked === true ? 'archive' : 'build'}-${shortOf(instanceId)}-${id}`
}

export function modelVolume(instanceId: string, modelId: string): string {
  return `runyard-model-${shortOf(instanceId)}-${modelId}`
}

const shortOf = (instanceId: string): string => createHash('sha256').update(instanceId).digest('hex').slice(0, 8)

export interface SpecOptions {
  readonly instanceId: string
  readonly agentVolume: string | undefined
  /** The engine itself may open fewer files than OPEN_FILES; then its own limit holds, and a higher one is refused. */
  readonly fewFiles?: boolean
  /** Lines for its /etc/hosts; default: none. */
  readonly extraHosts?: readonly string[] | undefined
  /** The container whose network it joins; default: it is attached to the workers' network itself. */
  readonly sandbox?: string | undefined
  /** It waits for its endpoint on stdin. */
  readonly isStandby?: boolean | undefined
  /** How the engine hands out real GPUs; default: by NVIDIA's runtime. */
  readonly gpuWay?: GpuWay | undefined
}

export function toContainerOptions(
  launch: WorkerLaunch,
  { instanceId, agentVolume, fewFiles, extraHosts, sandbox, isStandby, gpuWay }: SpecOptions,
): Docker.ContainerCreateOptions {
  if (launch.withAgent && agentVolume === undefined) {
    throw new RunyardError('internal', `Worker ${launch.workerId} needs the agent, but this host has no agent volume.`)
  }
  const uuids = realUuids(launch)
  const network = networkFor(launch, { sandbox, extraHosts })
  return {
    name: containerName(instanceId, launch.workerId),
    Image: launch.image,
    ...network.config,
    ...programOf(launch, isStandby),
    // An image's own STOPSIGNAL would turn "drain" into something else.
    StopSignal: 'SIGTERM',
    Tty: false,
    OpenStdin: isStandby === true,
    Labels: labelsOf(launch, { instanceId, isStandby }),
    HostConfig: {
      ...limits(launch, { fewFiles, isStandby }),
      ...(launch.runtime === undefined ? {} : { Runtime: launch.runtime }),
      ...(uuids.length > 0 ? { DeviceRequests: [gpuRequest(gpuWay, uuids)] } : {}),
      ...network.host,
      ...withMounts(launch, { agentVolume, instanceId }),
      CapDrop: ['ALL'],
      CapAdd: [...KEPT_CAPABILITIES],
      SecurityOpt: ['no-new-privileges:true'],
      // The scaler decides what runs; an engine that restarts workers on its own would fight it.
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '16m', 'max-file': '2' } },
    },
  }
}

const AGENT = [`${AGENT_MOUNT}/bin/node`, `${AGENT_MOUNT}/agent.mjs`]
const BESIDE = ['python3', `${AGENT_MOUNT}/runner/supervisor.py`, '--beside', `${AGENT_MOUNT}/runner/vendor`]
/** They choose another Python, keep this one from starting, or have it import modules before it has the whole environment. */
const OF_PYTHON = /^(PYTHON|LD_|PATH$|RUNYARD_(PYTHON|PRELOAD)$)/

const RUNTIME_DIR = '/tmp/runyard-beside'

/** In our own image Python is known to be there, so it starts beside the agent instead of after it. The server of a load-balanced endpoint needs another one. */
function startsBeside({ image, env, withAgent }: WorkerLaunch, isStandby: boolean | undefined): boolean {
  const isKnown = withAgent && image === WORKER_IMAGE && isStandby !== true && env['RUNYARD_SERVES'] === undefined
  return isKnown && !Object.keys(env).some((name) => OF_PYTHON.test(name))
}

function programOf(launch: WorkerLaunch, isStandby: boolean | undefined): Docker.ContainerCreateOptions {
  const { withAgent, entrypoint, args } = launch
  const isBeside = startsBeside(launch, isStandby)
  const env = { ...environmentOf(launch), ...(isBeside ? { RUNYARD_RUNTIME_DIR: RUNTIME_DIR } : {}) }
  const Env = Object.entries(env).map(([key, value]) => `${key}=${value}`)
  if (withAgent) return { Env, Entrypoint: isBeside ? [...BESIDE, ...AGENT] : AGENT, Cmd: [] }
  return { Env, ...(entrypoint.length > 0 ? { Entrypoint: [...entrypoint] } : {}), ...(args.length > 0 ? { Cmd: [...args] } : {}) }
}

function labelsOf(launch: WorkerLaunch, { instanceId, isStandby }: Pick<SpecOptions, 'instanceId' | 'isStandby'>): Record<string, string> {
  return {
    [LABELS.instance]: instanceId,
    [LABELS.endpoint]: launch.endpointId,
    [LABELS.worker]: launch.workerId,
    [LABELS.spec]: launch.specHash,
    [LABELS.gpus]: launch.gpus.map((gpu) => gpu.uuid).join(','),
    ...(isStandby === true ? { [LABELS.standby]: 'yes' } : {}),
  }
}

/** Docker refuses a host name and hosts of its own beside the network of another container, whose hosts it shares. */
function networkFor({ workerId }: WorkerLaunch, { sandbox, extraHosts = [] }: Pick<SpecOptions, 'sandbox' | 'extraHosts'>) {
  return sandbox === undefined
    ? { host: { NetworkMode: WORKER_NETWORK, ExtraHosts: [...extraHosts] }, config: { Hostname: workerId } }
    : { host: { NetworkMode: `${JOINS}${sandbox}` }, config: {} }
}

export function environmentOf(launch: WorkerLaunch): Readonly<Record<string, string>> {
  const isUnpacked = launch.build !== undefined && launch.build.isPacked !== true
  const app = isUnpacked ? { RUNPOD_PREBUILT_APP_DIR: APP_MOUNT } : {}
  const cache =
    launch.cache === undefined ? {} : { UV_CACHE_DIR: `${CACHE_MOUNT}/uv`, RUNYARD_DEPENDENCY_CACHE_BYTES: String(launch.cache.maxBytes) }
  return { ...cache, ...modelVariables(launch.models), ...launch.env, ...app, ...gpuVisibility(realUuids(launch)) }
}

const realUuids = (launch: WorkerLaunch): string[] => launch.gpus.filter((gpu) => !gpu.simulated).map((gpu) => gpu.uuid)

/**
 * CUDA images carry NVIDIA_VISIBLE_DEVICES=all; where nvidia is the engine's default runtime that alone would hand over every card.
 * `void` switches it off for a worker without real GPUs, and no variable of the user can widen it.
 */
function gpuVisibility(uuids: readonly string[]): Record<string, string> {
  return { NVIDIA_VISIBLE_DEVICES: uuids.length > 0 ? uuids.join(',') : 'void' }
}

/** What a running container can still be given. */
export function adjustableLimits({ memoryBytes, cpus, cpuShares, pidsLimit }: WorkerLaunch): Docker.HostConfig {
  return {
    PidsLimit: pidsLimit,
    ...(cpuShares === undefined ? {} : { CpuShares: cpuShares }),
    // Swap equal to memory means none: a worker over its limit dies with evidence rather than slowing the host down.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
  }
}

/** /dev/shm keeps its size, and a standby worker may get other limits later. */
function limits(
  launch: WorkerLaunch,
  { fewFiles, isStandby }: { readonly [K in 'fewFiles' | 'isStandby']: boolean | undefined },
): Docker.HostConfig {
  const shm =
    launch.memoryBytes === undefined || isStandby === true
      ? UNLIMITED_SHM_BYTES
      : Math.max(LEAST_SHM_BYTES, Math.floor(launch.memoryBytes / 2))
  return {
    ...adjustableLimits(launch),
    ShmSize: shm,
    OomScoreAdj: OOM_SCORE,
    Ulimits: fewFiles === true ? [NO_CORE_FILES] : [NO_CORE_FILES, OPEN_FILES],
  }
}

type OwnMounts = Pick<SpecOptions, 'agentVolume' | 'instanceId'>

function withMounts(launch: WorkerLaunch, own: OwnMounts): Pick<Docker.HostConfig, 'Binds' | 'Mounts'> {
  const { Mounts, ...binds } = volumeMounts(launch.mounts)
  return { ...binds, Mounts: [...ownMounts(launch, own), ...Mounts] }
}

function ownMounts(
  { withAgent, build, models = [], cache, caBundle }: WorkerLaunch,
  { agentVolume, instanceId }: OwnMounts,
): Docker.MountConfig {
  return [
    ...(withAgent && agentVolume !== undefined ? [readOnlyVolume(agentVolume, AGENT_MOUNT, AGENT_LABELS)] : []),
    ...(build === undefined ? [] : [readOnlyVolume(buildVolume(instanceId, build), build.isPacked === true ? ARCHIVE_MOUNT : APP_MOUNT)]),
    ...models.flatMap((model) => modelMounts(model).map((path) => readOnlyVolume(modelVolume(instanceId, model.id), path))),
    ...(cache === undefined ? [] : [cacheVolume(cache.id, instanceId)]),
    ...(caBundle === undefined ? [] : [{ Type: 'bind' as const, Source: caBundle, Target: caBundle, ReadOnly: true }]),
  ]
}

/** The engine makes it with the first worker that mounts it. */
function cacheVolume(id: string, instanceId: string): Docker.MountSettings {
  const Labels = { [LABELS.instance]: instanceId, [LABELS.cache]: id }
  return {
    Type: 'volume',
    Source: `runyard-cache-${shortOf(instanceId)}-${id}`,
    Target: CACHE_MOUNT,
    VolumeOptions: { NoCopy: true, Labels, DriverConfig: { Name: 'local', Options: {} } },
  }
}

/** The engine makes a volume that is gone again, empty; it has to be found by its label nevertheless. */
const AGENT_LABELS = { [LABELS.agent]: '' }

function readOnlyVolume(Source: string, Target: string, Labels: Readonly<Record<string, string>> = {}): Docker.MountSettings {
  return {
    Type: 'volume',
    Source,
    Target,
    ReadOnly: true,
    VolumeOptions: { NoCopy: true, Labels: { ...Labels }, DriverConfig: { Name: 'local', Options: {} } },
  }
}
