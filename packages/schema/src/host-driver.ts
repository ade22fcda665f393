// The port that every kind of host implements. It has no words of Docker's.
// Contract: `@runyard/testing` runs one conformance suite against each implementation.
import type { HostCapabilities, HostKind, HostOffer } from './host.ts'
import type { RegistryCredentials } from './registry.ts'
import type { AttachedGpu } from './worker.ts'

/** Everything a host needs to start one worker. */
export interface WorkerLaunch {
  readonly workerId: string
  readonly endpointId: string
  readonly specHash: string
  readonly endpointVersion: number
  /** The real image, aliases resolved. The process host ignores it. */
  readonly image: string
  /** Start our agent as the entrypoint; false = the image's own handler speaks the worker protocol by itself. */
  readonly withAgent: boolean
  /** Replaces the image's ENTRYPOINT, and with it its CMD; empty = the image's own. Ignored with the agent. */
  readonly entrypoint: readonly string[]
  /** Replaces the image's CMD, already split; empty = the image's own. Ignored with the agent. */
  readonly args: readonly string[]
  /** Complete environment, platform variables included. */
  readonly env: Readonly<Record<string, string>>
  /** Simulated GPUs are listed but not attached. */
  readonly gpus: readonly AttachedGpu[]
  /** Limits; undefined = none. */
  readonly memoryBytes: number | undefined
  readonly cpus: number | undefined
  readonly pidsLimit: number
  /** Weight among workers that want the CPUs at the same time; undefined = the engine's own. */
  readonly cpuShares?: number | undefined
  /** What the worker may write into its container; undefined = no limit. */
  readonly diskBytes?: number | undefined
  /** Container runtime such as `runsc`; undefined = the engine's own. A host that has no such thing refuses. */
  readonly runtime: string | undefined
  /** Host path of a CA bundle that is mounted read-only at the same path; undefined = none. */
  readonly caBundle: string | undefined
}

/** A worker as its host sees it. */
export interface ObservedWorker {
  readonly workerId: string
  readonly endpointId: string
  readonly specHash: string
  readonly state: 'created' | 'running' | 'exited'
  /** Epoch ms; undefined until started. */
  readonly startedAt: number | undefined
  readonly exit: { readonly at: number; readonly exitCode: number | null; readonly oomKilled: boolean } | undefined
  /** What it has written, as of the last look at sizes; absent where the engine limits it, or before that look. */
  readonly diskBytes?: number
  /** UUIDs of the GPUs that it holds until it is seen gone. */
  readonly gpuUuids: readonly string[]
  /** The image that it was made of, whatever its tag means by now; undefined where a host has no images. */
  readonly imageId?: string | undefined
}

/** What happened to a worker on its host. Wakes the scaler, which then looks for itself; a lost event costs time only. */
export interface HostEvent {
  readonly kind: 'started' | 'died'
  readonly workerId: string
  readonly at: number
}

export interface LogLine {
  /** Epoch ms with sub-millisecond fraction where the host gives it. */
  readonly at: number
  readonly source: 'stdout' | 'stderr'
  readonly line: string
}

/** Credentials under their name. */
export interface PullCredentials extends RegistryCredentials {
  readonly name: string
}

export interface PullOptions {
  readonly credentials?: PullCredentials | undefined
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

export interface PrepareOptions {
  /** One line for a person: what is being built, pulled or copied. */
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

export interface Prepared {
  /** What workers will be, in words, e.g. `containers on Docker 27.1, image runyard/worker:latest`. */
  readonly words: string
  /** The address at which workers of the host reach this machine; undefined where the operator has to say. */
  readonly planeAddress: string | undefined
}

export type HostProbe = { readonly kind: 'ok'; readonly words: string } | { readonly kind: 'failed'; readonly message: string }

/** What there is to know about a host before it is used: one line per subject, with the command that mends it. */
export interface HostFinding {
  readonly subject: string
  /** missing: something that is needed; note: it works, but there is something to know. */
  readonly verdict: 'ok' | 'note' | 'missing'
  readonly words: string
  readonly mend?: string
}

/** Workers of one install, as a host shows them. */
export interface Install {
  readonly instanceId: string
  readonly workers: number
  /** Cards that its running workers hold; simulated ones are not. */
  readonly cards: readonly string[]
  /** The command that removes them, for when that install is gone for good. */
  readonly removal: string
}

export interface HostDriver extends AsyncDisposable {
  /** What the operator calls the host; another scaler may call another host the same. */
  readonly label: string
  readonly kind: HostKind
  readonly capabilities: HostCapabilities
  /** Does the host answer, and may we use it? Answers within seconds; never rejects. */
  probe(): Promise<HostProbe>
  /**
   * Makes the host ready for workers: the agent, the default image, the network. What is there already costs a look; calls by several
   * processes at once do no harm. @throws RunyardError with one sentence.
   */
  prepare(options: PrepareOptions): Promise<Prepared>
  /** The URL at which workers of this host reach the worker plane. @throws as `inventory`. */
  planeUrl(): Promise<string>
  /** What an operator may want to know about it. `image`: the default image. Never rejects for a host that is away. */
  examine(image: string): Promise<readonly HostFinding[]>
  /** Which host this is, the same for everybody who reaches it: `docker:<engine id>`, `process:<machine and data directory>`. @throws as `inventory`. */
  identify(): Promise<string>
  /** @throws RunyardError when the host cannot be reached: unknown, which is not the same as empty. */
  inventory(): Promise<HostOffer>
  /** UUIDs of the real cards that running workers of other installs hold here. @throws as `inventory`. */
  cardsOfOthers(): Promise<readonly string[]>
  /** Every install that has workers here, this one included. @throws as `inventory`. */
  installs(): Promise<readonly Install[]>
  /** Only workers that bear this instance's id. @throws as `inventory`. */
  listWorkers(): Promise<readonly ObservedWorker[]>
  /** Is the image here? The process host says yes to everything. */
  hasImage(image: string): Promise<boolean>
  /** What the name means here now, to be compared with `ObservedWorker.imageId`; undefined: nothing, or the host has no images. */
  imageId(image: string): Promise<string | undefined>
  /**
   * Pull with progress lines. @throws RunyardError with one sentence: 'forbidden' where the registry asks for credentials or refuses those
   * given, 'not_found' where the image cannot be had for another cause.
   */
  pullImage(image: string, options: PullOptions): Promise<void>
  /** Idempotent per `workerId`: a second call for a living worker changes nothing.
   * @throws RunyardError with one sentence and `fault`: whose it is; undefined counts as the request's. */
  startWorker(launch: WorkerLaunch): Promise<void>
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the worker is seen dead. Unknown ids resolve at once. */
  stopWorker(workerId: string, options: { graceMs: number }): Promise<void>
  /** Removes what is left of a dead worker (container, scratch directory). Unknown ids resolve at once. */
  removeWorker(workerId: string): Promise<void>
  /** Ends and removes every worker of this instance at once, without a grace. */
  removeAll(): Promise<void>
  /** The last lines of a worker, also of a dead one that is not yet removed. */
  tailLogs(workerId: string, lines: number): Promise<readonly LogLine[]>
  /** Follows a worker's output until it ends or `signal` aborts. */
  followLogs(workerId: string, options: { sinceMs: number; onLine: (line: LogLine) => void; signal: AbortSignal }): Promise<void>
  /** Events from now on. The driver reconnects by itself; a gap is covered by the next `listWorkers`. */
  watch(onEvent: (event: HostEvent) => void): AsyncDisposable
}

/** Where drivers come from: hosts are added and taken away while a scaler runs. The source closes its drivers. */
export interface HostSource extends AsyncDisposable {
  /** The hosts that there are now, the preferred ones first. The same driver stands for a host for as long as it is there. */
  list(): readonly HostDriver[]
  /** Calls back after each change of the list. */
  subscribe(onChange: () => void): Disposable
}
