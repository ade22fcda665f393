// The port that every kind of host implements. It contains no Docker terms.
// Contract: `@runyard/testing` runs one conformance suite against each implementation.
import type { HostConfig } from './host-config.ts'
import type { CardProbe } from './card.ts'
import type { DiskSpace, HeldImage, HostCapabilities, HostKind, HostOffer } from './host.ts'
import type { BuildPlacement, HeldModel, LaunchedBuild, LaunchedModel, ModelPlacement, VolumeData, VolumeMount } from './host-contents.ts'
import type { RegistryCredentials } from './registry.ts'
import type { AttachedGpu } from './worker.ts'

/**
 * Names of the worker plane inside workers (ADR 87), with `flash.` before them, too. A container knows the first one from its /etc/hosts; a process of
 * this machine resolves the second one as loopback (RFC 6761).
 */
export const PLANE_NAMES = ['runyard.internal', 'runyard.localhost'] as const
export type PlaneName = (typeof PLANE_NAMES)[number]

/** Everything a host needs to start one worker. */
export interface WorkerLaunch {
  readonly workerId: string
  readonly endpointId: string
  readonly specHash: string
  readonly endpointVersion: number
  /** The real image, with aliases resolved. The process host ignores it. */
  readonly image: string
  /** Start our agent as the entrypoint; false = the image's own handler speaks the worker protocol by itself. */
  readonly withAgent: boolean
  /** The agent starts the image's own command, which is an HTTP server; absent: it starts our runner, and needs no command. */
  readonly servesImage?: boolean | undefined
  /** Replaces the image's ENTRYPOINT and CMD; empty = the image's own. */
  readonly entrypoint: readonly string[]
  /** Replaces the image's CMD, already split; empty = the image's own. */
  readonly args: readonly string[]
  /** Complete environment, platform variables included. */
  readonly env: Readonly<Record<string, string>>
  /** Simulated GPUs are listed but not attached. */
  readonly gpus: readonly AttachedGpu[]
  /** Limits; undefined = none. */
  readonly memoryBytes: number | undefined
  readonly cpus: number | undefined
  readonly pidsLimit: number
  /** CPU weight among competing workers; undefined = the engine's default. */
  readonly cpuShares?: number | undefined
  /** How much the worker may write into its container; undefined = no limit. */
  readonly diskBytes?: number | undefined
  /** Container runtime such as `runsc`; undefined = the engine's default. A host without this runtime rejects the start. */
  readonly runtime: string | undefined
  /** The build of a deployed app, which `placeBuild` has placed: read-only for the worker, in the directory that RUNPOD_PREBUILT_APP_DIR names. */
  readonly build?: LaunchedBuild | undefined
  /** Models that `placeModel` has placed: read-only for the worker, in the cache that HF_HUB_CACHE names; absent: none. */
  readonly models?: readonly LaunchedModel[] | undefined
  /** Volumes; absent: none. A host that cannot mount names their directories instead (`mountsVolumes`). */
  readonly mounts?: readonly VolumeMount[] | undefined
  /** Workers with the same id share a cache of the packages that they install, on a host that keeps one; absent: none. */
  readonly cache?: { readonly id: string; readonly maxBytes: number } | undefined
  /** Host path of a CA bundle that is mounted read-only at the same path; undefined = none. */
  readonly caBundle: string | undefined
}

/** A worker as its host sees it. */
export interface ObservedWorker {
  readonly workerId: string
  readonly endpointId: string
  readonly specHash: string
  /**
   * `created`: it does not run, and its start has to be requested again. `starting`: the host is working on it, however long that takes (it pulls an
   * image, waits for a device). `running`, `exited`: the state of its process.
   */
  readonly state: 'created' | 'starting' | 'running' | 'exited'
  /** While it is starting: what the host is doing, for display. */
  readonly progress?: string
  /** Epoch ms; undefined until started. */
  readonly startedAt: number | undefined
  readonly exit: { readonly at: number; readonly exitCode: number | null; readonly oomKilled: boolean } | undefined
  /** How much it has written at the last measurement; absent if the engine enforces the limit, or before the first measurement. */
  readonly diskBytes?: number
  /** UUIDs of the GPUs that it holds until it is known to be gone. */
  readonly gpuUuids: readonly string[]
  /** The id of its image, whatever its tag refers to now; undefined if the host has no images. */
  readonly imageId?: string | undefined
}

/** An event of a worker on its host. It wakes the scaler, which then reads the state; a lost event only costs time. */
export interface HostEvent {
  readonly kind: 'started' | 'died'
  readonly workerId: string
  readonly at: number
}

export interface LogLine {
  /** Epoch ms, with a sub-millisecond fraction if the host provides it. */
  readonly at: number
  readonly source: 'stdout' | 'stderr'
  readonly line: string
}

/** Named credentials. */
export interface PullCredentials extends RegistryCredentials {
  readonly name: string
}

export interface PullOptions {
  readonly credentials?: PullCredentials | undefined
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

export interface PrepareOptions {
  /** One line for the operator: what is being built, pulled or copied. */
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

export interface Prepared {
  /** A description of its workers, e.g. `containers on Docker 27.1, image runyard/worker:latest`. */
  readonly words: string
  /** The address at which workers of the host reach this machine; undefined if the operator has to configure it. */
  readonly planeAddress: string | undefined
}

export type HostProbe = { readonly kind: 'ok'; readonly words: string } | { readonly kind: 'failed'; readonly message: string }

/** Findings about a host before it is used: one line per subject, with the command that fixes it. */
export interface HostFinding {
  readonly subject: string
  /** missing: a requirement is not met; note: it works, with a restriction. */
  readonly verdict: 'ok' | 'note' | 'missing'
  readonly words: string
  readonly mend?: string
}

/** The workers of one installation on a host. */
export interface Install {
  readonly instanceId: string
  readonly workers: number
  /** GPUs that its running workers hold, without simulated ones. */
  readonly cards: readonly string[]
  /** The command that removes them if that installation no longer exists. */
  readonly removal: string
}

export interface HostReadiness {
  /** Networks for workers that are still to start. */
  readonly networks: number
  /** Started workers that have no endpoint yet; absent: none. */
  readonly standby?: HostStandby | undefined
}

export interface HostStandby {
  readonly count: number
  /** The worker that stands by, without an id. */
  readonly launch: WorkerLaunch
}

export interface HostDriver extends AsyncDisposable {
  /** The operator's name for the host; another scaler may use the same name for another host. */
  readonly label: string
  readonly kind: HostKind
  readonly capabilities: HostCapabilities
  /** A local socket over which another driver of this process reaches the host, instead of opening a second connection to its machine. */
  readonly sharedSocket?: string | undefined
  /** Checks that the host responds and may be used. Resolves within seconds; never rejects. */
  probe(): Promise<HostProbe>
  /**
   * Prepares the host for workers: the agent, the default image, the network. Existing parts cost only a check, and concurrent calls by several
   * processes are safe. @throws RunyardError with one sentence.
   */
  prepare(options: PrepareOptions): Promise<Prepared>
  /** The URL at which workers of this host reach the worker plane. @throws as `inventory`. */
  planeUrl(): Promise<string>
  /** By which name workers of this host find the worker plane where its URL has an address. */
  readonly planeName: PlaneName
  /** Findings for the operator. `image`: the default image; `runtimes`: those that workers are to have. Never rejects for an unreachable host. */
  examine(image: string, runtimes?: readonly string[]): Promise<readonly HostFinding[]>
  /** Does a worker of this host reach the worker plane? Takes seconds; never rejects. */
  provePlane(): Promise<HostFinding>
  /** The host's identity, equal for every scaler: `docker:<engine id>`, `process:<machine and data directory>`. @throws as `inventory`. */
  identify(): Promise<string>
  /**
   * `usedAfter`: with uses of GPUs from a report that was begun after this time, epoch ms, if one comes in time.
   * @throws RunyardError if the host cannot be reached: its state is then unknown, not empty.
   */
  inventory(usedAfter?: number): Promise<HostOffer>
  /** UUIDs of the real GPUs that running workers of other installations hold on this host. @throws as `inventory`. */
  cardsOfOthers(): Promise<readonly string[]>
  /** Calls back when the inventory may have another report on GPUs. Absent: it is asked now and then. */
  watchGpus?(onReport: () => void): Disposable
  /**
   * Tries a real GPU that no worker holds, as a worker would use it. Takes seconds. Absent: the host cannot try one.
   * @throws RunyardError if the host does not know.
   */
  probeCard?(uuid: string): Promise<CardProbe>
  /**
   * The pids of all processes of these workers, as nvidia-smi counts them; of one that has ended, none. Undefined: the host cannot say, nor can one without
   * this function. @throws as `inventory`.
   */
  processesOf?(workerIds: readonly string[]): Promise<readonly number[] | undefined>
  /** Every installation with workers on this host, including this one. @throws as `inventory`. */
  installs(): Promise<readonly Install[]>
  /** Only workers labelled with this instance's id. @throws as `inventory`. */
  listWorkers(): Promise<readonly ObservedWorker[]>
  /** True if the image is on the host. The process host always returns true. */
  hasImage(image: string): Promise<boolean>
  /** The image id that the name resolves to now, to compare with `ObservedWorker.imageId`; undefined: none, or the host has no images. */
  imageId(image: string): Promise<string | undefined>
  /** The same as `name@sha256:…`, by which every host can pull it; undefined: no registry gave it, or the host has no images. */
  readonly imageDigest?: (image: string) => Promise<string | undefined>
  /** Free space where pulled images go, now; undefined: not known, or the host has no images. @throws as `inventory`. */
  diskSpace(): Promise<DiskSpace | undefined>
  /** Removes the data of a volume; what is gone is removed. False: something uses it. @throws as `inventory`. */
  removeVolume(volume: VolumeData): Promise<boolean>
  /** Those of the named images that are on the host. @throws as `inventory`. */
  heldImages(names: readonly string[]): Promise<readonly HeldImage[]>
  /** Removes a name, and the image unless it has another one. False: it is not there, or something uses it. @throws as `inventory`. */
  removeImage(name: string): Promise<boolean>
  /**
   * Pulls with progress lines. @throws RunyardError with one sentence: 'forbidden' if the registry requires credentials or rejects the given
   * ones, 'not_found' if the image is unavailable for another reason.
   */
  pullImage(image: string, options: PullOptions): Promise<void>
  /**
   * Resolves when the worker runs, or when the host is starting it. Idempotent per `workerId`: a second call for a living worker has no effect.
   * @throws RunyardError with one sentence and the cause in `fault`; undefined counts as `request`.
   */
  startWorker(launch: WorkerLaunch): Promise<void>
  /**
   * What the leading scaler wants the host to have ready for the next starts; undefined: it does not lead any more. Returns at once; the driver works
   * in the background, and lets go of what it made when it is closed. Absent: this kind of host prepares nothing.
   */
  readonly keepReady?: (ready: HostReadiness | undefined) => void
  /**
   * The id of a worker that stands by, given once; undefined: none is there for a worker with these limits. `startWorker` with this id hands the
   * worker its environment and limits, or starts another one if it has ended. A caller that does not start it leaves a worker without a record.
   */
  readonly takeStandby?: (request: Pick<WorkerLaunch, 'diskBytes' | 'cpus' | 'memoryBytes'>) => string | undefined
  /** How many workers stand by; they are not listed. */
  readonly standbyCount?: () => number
  /** Why the last try to start one failed, as one sentence; undefined: it did not. */
  readonly standbyProblem?: () => string | undefined
  /**
   * Unpacks a build once for all workers of this installation; resolves when it is whole. Concurrent calls, also of several processes, unpack it once or
   * with the same result. Absent: this kind of host runs no deployed apps. @throws RunyardError with one sentence; 'unprocessable': not an archive of ours.
   */
  readonly placeBuild?: (build: BuildPlacement) => Promise<void>
  /** Ids of the builds of this installation that the host has, incomplete ones included. @throws as `inventory`. */
  readonly builds?: () => Promise<readonly string[]>
  /** False: a worker uses it. Unknown ids resolve to true. @throws as `inventory`. */
  readonly removeBuild?: (id: string) => Promise<boolean>
  /**
   * Writes a model once for all workers of this installation; resolves when it is whole. Files that an earlier try has finished are kept.
   * Absent: this kind of host keeps no models. @throws RunyardError with one sentence, or what `open` throws.
   */
  readonly placeModel?: (model: ModelPlacement) => Promise<void>
  /** All models of this installation, incomplete ones included. @throws as `inventory`. */
  readonly models?: () => Promise<readonly HeldModel[]>
  /** False: a worker uses it. Unknown ids resolve to true. @throws as `inventory`. */
  readonly removeModel?: (id: string) => Promise<boolean>
  /** The minor version of Python of an image, e.g. `3.12`; undefined: not known. Absent: the host has no images. @throws as `inventory`. */
  readonly pythonOf?: (image: string) => Promise<string | undefined>
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the worker is dead. Unknown ids resolve at once. */
  stopWorker(workerId: string, options: { graceMs: number }): Promise<void>
  /** Removes what is left of a dead worker (container, scratch directory). Unknown ids resolve at once. */
  removeWorker(workerId: string): Promise<void>
  /** Ends and removes every worker of this instance at once, without a grace period, and its builds. */
  removeAll(): Promise<void>
  /**
   * For a host that is taken out for good, after `removeAll`: removes what is kept there for later workers, also what installations share unless another
   * one uses the host. Data of endpoints stays. Absent: nothing is kept outside of the data directory. @throws as `inventory`.
   */
  readonly clear?: () => Promise<Cleared>
  /** The last lines of a worker, even of a dead one that is not yet removed. */
  tailLogs(workerId: string, lines: number): Promise<readonly LogLine[]>
  /** Follows a worker's output until it ends or `signal` aborts. */
  followLogs(workerId: string, options: { sinceMs: number; onLine: (line: LogLine) => void; signal: AbortSignal }): Promise<void>
  /** Events from now on. The driver reconnects by itself; the next `listWorkers` covers a gap. */
  watch(onEvent: (event: HostEvent) => void): AsyncDisposable
}

/** What is gone from a host and what stays, as phrases. */
export interface Cleared {
  readonly removed: readonly string[]
  readonly kept: readonly string[]
}

/** A source of drivers: hosts can be added and removed while a scaler runs. The source closes its drivers. */
export interface HostSource extends AsyncDisposable {
  /** The current hosts, preferred ones first. A host keeps its driver as long as it exists. */
  list(): readonly HostDriver[]
  /** What the operator wrote about it; it may change while the driver stays. Undefined: nothing. */
  configOf(driver: HostDriver): HostConfig | undefined
  /** Calls back after each change of the list or of a configuration. */
  subscribe(onChange: () => void): Disposable
}
