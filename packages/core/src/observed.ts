// The snapshot that `plan` decides on, and its result: actions as data. Unknown is a value: a host that did not respond has
// `workers: undefined`, not an empty list.
import type {
  AttachedGpu,
  CardUse,
  Cordon,
  DiskSpace,
  Endpoint,
  HostInventory,
  HostKind,
  HostRest,
  ImagePull,
  ObservedWorker,
  Reason,
  WorkerRecord,
} from '@runyard/schema'
import type { StartFailures } from './backoff.ts'
import type { Deployment } from './deployment.ts'
import type { Demand } from './scaling.ts'
import type { PlacedSpec } from './placement.ts'
import type { KeyLimit } from './key-limits.ts'
import type { LifeSigns } from './worker-facts.ts'

export interface HostView {
  /** The host's identity as reported by `HostDriver.identify`; before that, the operator's name for it. */
  readonly hostId: string
  readonly isIdentified: boolean
  /** The operator's name for it. */
  readonly label: string
  readonly kind: HostKind
  /** Why the host gets no workers now, as the end of a sentence: `is being prepared`; undefined: it gets workers. */
  readonly unready: string | undefined
  /** The operator wants no new workers here. */
  readonly cordon?: Cordon | undefined
  /** It failed starts through its own fault. */
  readonly rest?: HostRest | undefined
  /** When the inventory was read, epoch ms. */
  readonly inventoryAt?: number | undefined
  /** The last inventory read, undefined before the first. */
  readonly inventory: HostInventory | undefined
  /** Images, by the names that endpoints use, that it is known to have. */
  readonly images?: ReadonlySet<string> | undefined
  /** Models that it has or is fetching, by `modelKey`. */
  readonly models?: ReadonlySet<string> | undefined
  /** undefined: the host cannot be reached. */
  readonly workers: readonly ObservedWorker[] | undefined
  /** The disk of its images, as far as it is known. */
  readonly disk?: DiskSpace | undefined
  /** What uses each real GPU, by uuid, as far as the host says. */
  readonly uses?: Readonly<Record<string, CardUse>> | undefined
  /** When the report with `uses` was begun, epoch ms. */
  readonly usesAt?: number | undefined
  /** Real GPUs whose last worker is gone and that are not proven free yet. */
  readonly releasing?: readonly string[]
  /** While it cannot be reached: since when, epoch ms. Absent: unknown for how long. */
  readonly awaySince?: number | undefined
  /** Real GPUs that workers of other installations hold on this host. */
  readonly cardsOfOthers: readonly string[]
  /** How many workers stand by; they are not among `workers`. */
  readonly standby?: number | undefined
  /** Why no further one can be started. */
  readonly standbyProblem?: string | undefined
  /** When `workers` was requested, epoch ms: workers created later may be missing. */
  readonly observedAt: number
  /** How long the list of `workers` took. */
  readonly listingMs?: number | undefined
}

/** What the sweeps need to know about an endpoint's queue. */
export interface QueueFacts {
  /** The earliest TTL deadline of a live job. */
  readonly nextDeadlineAt?: number | undefined
  /** Number of expired jobs that are not in the journal yet; the sweep writes them. */
  readonly expiredUntaken?: number
  /** Number of entries in the register of ended jobs, which the sweep updates. */
  readonly ended: number
  /** Size of its stored results. */
  readonly keptBytes: number
}

export interface LeaseView {
  readonly jobId: string
  readonly endpointId: string
  /** undefined: the lease has expired and no worker holds the job. */
  readonly workerId: string | undefined
  /** The current holder, or the last one if the lease expired; that worker may still finish the job. */
  readonly lastHolder: string | undefined
  /** When the lease expires unless it is renewed, epoch ms. */
  readonly expiresAt?: number | undefined
  readonly startedAt: number
  readonly executionTimeoutMs: number | undefined
}

/** With what its spec does not say of a place for its workers. */
export interface EndpointView extends Pick<PlacedSpec, 'volumes' | 'runtime'> {
  readonly endpointId: string
  /** undefined: deleted; its workers are removed, then its keys. */
  readonly endpoint: Endpoint | undefined
  /** The sum of all its sources (`demandFrom`). */
  readonly demand: Demand
  readonly queue: QueueFacts
  /** What shows that its workers are alive. */
  readonly lifeSigns: LifeSigns
  readonly leases: readonly LeaseView[]
  /** Open requests by worker, of a load-balanced endpoint; absent: none. */
  readonly openRequests?: ReadonlyMap<string, number>
  readonly workers: readonly WorkerRecord[]
  readonly failures: StartFailures | undefined
  /** The build that its next worker runs; undefined: its workers need none. */
  readonly deployment?: Deployment | undefined
  /** When its expired jobs were last swept. */
  readonly sweptAt: number
  /** For each worker placed before the endpoint was last saved: the id that its image name resolves to on its host now; absent: unknown. */
  readonly imageIds: ReadonlyMap<string, string>
  /** When one of its workers last yielded to another endpoint, epoch ms; 0: not in this scaler's memory. */
  readonly yieldedAt: number
}

/** A worker on a host, without a record. */
export interface Stranger {
  /** Since when it has been seen without a record, epoch ms. */
  readonly since: number
  /** It had a record earlier under this leader. */
  readonly wasKnown: boolean
}

/** A worker was ordered to stop a job. A sync handler of an SDK worker does not receive the order (worker-api §9). */
export interface StopRequest {
  readonly at: number
  readonly why: 'timeout' | 'cancel'
}

export interface PlanPolicy {
  /** A ready worker that is silent for this long is lost. */
  readonly heartbeatLostMs: number
  /** A host that cannot be reached for this long is given up, with its silent workers. */
  readonly hostGraceMs: number
  /** Workers must have been able to report for this long before their silence counts. */
  readonly leaseMs: number
  readonly initTimeoutMs: number
  /** A record without a container, or a container without a record, may still be on its way if it is younger than this. */
  readonly settleMs: number
  /** A worker without a record is removed after this time. */
  readonly reapGraceMs: number
  /** Time between notifying the gateway that a worker drains and SIGTERM. */
  readonly drainSettleMs: number
  /** A draining worker is given this long for the requests that it is answering. */
  readonly requestMs: number
  /** A worker that was ordered to stop a job must show within this time that it is free. */
  readonly stopGraceMs: number
  /** The same for a worker that cannot receive the order: long enough for another worker to take the waiting job. */
  readonly deafStopGraceMs: number
  /** After an outage of the gateway, delayed results arrive within this time. */
  readonly arrearsMs: number
  readonly sweepEveryMs: number
  /** The same for an endpoint where no job waits or runs. */
  readonly quietSweepEveryMs: number
  /** Maximum total size of the stored results of all endpoints. */
  readonly keepBytes: number
  /** A host with less free disk pulls no image. */
  readonly keepFreeBytes: number
  /** A release that cannot start is rolled back to the last good one. */
  readonly rollsBack: boolean
  /** Share of an endpoint's maximum, at least one, of ready old workers that are replaced at a time. */
  readonly replacePercent: number
}

export const DEFAULT_PLAN_POLICY: PlanPolicy = {
  heartbeatLostMs: 60_000,
  hostGraceMs: 120_000,
  leaseMs: 40_000,
  initTimeoutMs: 420_000,
  settleMs: 3000,
  reapGraceMs: 15_000,
  drainSettleMs: 100,
  requestMs: 330_000,
  stopGraceMs: 10_000,
  deafStopGraceMs: 1000,
  arrearsMs: 15_000,
  sweepEveryMs: 5000,
  quietSweepEveryMs: 60_000,
  keepBytes: Infinity,
  keepFreeBytes: 5 * 2 ** 30,
  rollsBack: false,
  replacePercent: 10,
}

export type InFlightKind = 'start' | 'other'

export interface Observed {
  /** In the configured order. */
  readonly hosts: readonly HostView[]
  readonly endpoints: readonly EndpointView[]
  /** Keys (`actionKey`) of actions in flight; the plan adds no action with such a key. */
  readonly inFlight: ReadonlyMap<string, InFlightKind>
  readonly stopRequests: ReadonlyMap<string, StopRequest>
  /** Of the API keys that have one, by key id (ADR 60). */
  readonly keyLimits: ReadonlyMap<string, KeyLimit>
  /** By worker id. */
  readonly strangers: ReadonlyMap<string, Stranger>
  /** Workers that do not end although they were killed: their places are free, their cards are not. */
  readonly undying?: ReadonlySet<string>
  /** Since when workers have been able to report without a gap, epoch ms; undefined: they cannot, so their silence proves nothing. */
  readonly planeUpSince: number | undefined
  /** Retire all workers and start none. */
  readonly shutdown: boolean
  readonly policy: PlanPolicy
}

export interface StartAction {
  readonly kind: 'start'
  readonly endpointId: string
  readonly hostId: string
  readonly gpus: readonly AttachedGpu[]
  readonly cpus: number | undefined
  readonly memoryBytes: number | undefined
  /** Volumes that it gets, each with the store where the data is from now on; absent: none. */
  readonly volumes?: readonly { readonly id: string; readonly storeId: string }[]
  readonly reason: Reason
}

interface OnWorker {
  readonly endpointId: string
  readonly workerId: string
  readonly hostId: string
}

export type Action =
  | StartAction
  /** It has a record, but its container was never started: the scaler that placed it is gone. */
  | (OnWorker & { readonly kind: 'resume' })
  /** Its endpoint's spec changed; `busy` decides which billing state follows. */
  | (OnWorker & { readonly kind: 'mark-outdated'; readonly busy: boolean })
  /** It takes jobs until its turn to be replaced, or has the endpoint's spec again after a roll-back. */
  | (OnWorker & { readonly kind: 'serve-on'; readonly through: number })
  /** No more jobs for this worker. */
  | (OnWorker & { readonly kind: 'drain'; readonly reason: Reason })
  /** SIGTERM, then SIGKILL. */
  | (OnWorker & { readonly kind: 'stop'; readonly reason: Reason })
  /** The worker is dead: remove its container and its record. `isStartFailure` delays the next start. */
  | (OnWorker & { readonly kind: 'remove'; readonly reason: Reason; readonly isStartFailure: boolean })
  /** A container of this installation without a record. */
  | (OnWorker & { readonly kind: 'reap' })
  /** A lost worker's job goes back to the queue. `workerId` undefined: its lease expired. */
  | {
      readonly kind: 'take-back'
      readonly endpointId: string
      readonly jobId: string
      readonly workerId: string | undefined
      readonly reason: Reason
      /** The holder of the expired lease. A worker that loses a lease is replaced, because its id is the fencing token of its leases. */
      readonly lastHolder?: string | undefined
      /** Where evidence may be available. */
      readonly hostId: string | undefined
    }
  /** A job ran past its execution timeout (client-api §4.4). */
  | { readonly kind: 'time-out'; readonly endpointId: string; readonly jobId: string; readonly workerId: string | undefined }
  /** Removes expired entries, and the oldest results above `keepBytes`. `remind`: signal the gateways to read the queue again. */
  | { readonly kind: 'sweep'; readonly endpointId: string; readonly keepBytes: number; readonly remind: boolean }
  /** A worker of this release was ready. */
  | { readonly kind: 'note-release'; readonly endpointId: string; readonly specHash: string; readonly buildId: string | undefined }
  /** The release could not start. `message`: one sentence of evidence. */
  | { readonly kind: 'roll-back'; readonly endpointId: string; readonly specHash: string; readonly message: string }
  | { readonly kind: 'end-task'; readonly endpointId: string; readonly message: string }
  | { readonly kind: 'forget-endpoint'; readonly endpointId: string }

export type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>

/** Actions with the same key run one after another; while one of them runs, the next plan adds none with that key. */
export function actionKey(action: Action): string {
  if ('workerId' in action && action.workerId !== undefined && action.kind !== 'time-out') return workerKey(action.workerId)
  return 'jobId' in action ? `job:${action.jobId}` : `${action.kind}:${action.endpointId}`
}

export function workerKey(workerId: string): string {
  return `worker:${workerId}`
}

/** What the scaler reports about an endpoint (the store's `ScalerStatus` without its time). */
export interface EndpointStatus {
  readonly throttled: number
  readonly unhealthy: number
  readonly reason: Reason | undefined
  readonly message: string | undefined
  /** When the next start is attempted after failed ones, epoch ms; undefined: no pause, or an attempt is under way. */
  readonly nextTryAt: number | undefined
  /** How many more workers could start without a pull; absent: not known. */
  readonly mayStart?: number
  /** Its image on hosts that do not have it yet; absent: none. */
  readonly pulls?: readonly ImagePull[]
}

export interface Plan {
  readonly actions: readonly Action[]
  readonly statuses: ReadonlyMap<string, EndpointStatus>
  /** The earliest time at which the plan changes by itself, epoch ms; Infinity: never. */
  readonly nextDueAt: number
}
