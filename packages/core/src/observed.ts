// The snapshot that `plan` decides on, and what it comes to: actions as data. Unknown is a value: a host that did not answer has
// `workers: undefined`, which is not an empty list.
import type { AttachedGpu, Endpoint, HostInventory, ObservedWorker, Reason, WorkerRecord } from '@runyard/schema'
import type { StartFailures } from './backoff.ts'

export interface HostView {
  /** What the host is, as `HostDriver.identify` says; until that was heard, the name that the operator gave it. */
  readonly hostId: string
  readonly isIdentified: boolean
  /** The last inventory read, undefined before the first. */
  readonly inventory: HostInventory | undefined
  /** undefined: the host cannot be reached. */
  readonly workers: readonly ObservedWorker[] | undefined
  /** Real cards that workers of other installs hold here. */
  readonly cardsOfOthers: readonly string[]
  /** When `workers` was asked for, epoch ms: what was created later may be missing. */
  readonly observedAt: number
}

/** What the queue of an endpoint holds. */
export interface Demand {
  readonly waiting: number
  /** Without `lowPriority` jobs, which never start a worker (management §6.2). */
  readonly waitingNormal: number
  readonly oldestWaitingAt: number | undefined
  /** When the ttl of a live job is over, the earliest of them. */
  readonly nextDeadlineAt?: number | undefined
  /** Expired jobs that are not in the journal yet; the sweep writes them. */
  readonly expiredUntaken?: number
  /** Entries in the register of ended jobs, which the sweep brings up to date. */
  readonly ended: number
  /** What its kept results weigh. */
  readonly keptBytes: number
}

export interface LeaseView {
  readonly jobId: string
  readonly endpointId: string
  /** undefined: the lease has expired and no worker holds the job. */
  readonly workerId: string | undefined
  /** Whose it is, or was until it expired: that worker may still finish the job. */
  readonly lastHolder: string | undefined
  /** When the lease runs out unless it is renewed, epoch ms. */
  readonly expiresAt?: number | undefined
  readonly startedAt: number
  readonly executionTimeoutMs: number | undefined
}

export interface EndpointView {
  readonly endpointId: string
  /** undefined: deleted; its workers go, then its keys. */
  readonly endpoint: Endpoint | undefined
  readonly demand: Demand
  readonly leases: readonly LeaseView[]
  readonly workers: readonly WorkerRecord[]
  readonly failures: StartFailures | undefined
  /** When its expired jobs were last swept. */
  readonly sweptAt: number
  /** By worker that was placed before the endpoint was last saved: what the name of its image means on its host since; absent: not known. */
  readonly imageIds: ReadonlyMap<string, string>
  /** When a worker of it last gave way to another endpoint, epoch ms; 0: not that the scaler remembers. */
  readonly yieldedAt: number
}

/** A worker on a host that no record names. */
export interface Stranger {
  /** Since when it is seen so, epoch ms. */
  readonly since: number
  /** A record named it earlier under this leader. */
  readonly wasKnown: boolean
}

/** A worker that was ordered to stop a job. A sync handler of an SDK worker does not receive the order (worker-api §9). */
export interface StopRequest {
  readonly at: number
  readonly why: 'timeout' | 'cancel'
}

export interface PlanPolicy {
  /** A ready worker silent for this long is lost. */
  readonly heartbeatLostMs: number
  /** Workers must have been able to report for this long before silence means anything. */
  readonly leaseMs: number
  readonly initTimeoutMs: number
  /** A record without container, or a container without record, younger than this may still be on its way. */
  readonly settleMs: number
  /** A worker of ours that no record names is given this long before it is removed. */
  readonly reapGraceMs: number
  /** Between telling the gateway that a worker drains and SIGTERM. */
  readonly drainSettleMs: number
  /** A worker that was ordered to stop a job has this long to show that it is free. */
  readonly stopGraceMs: number
  /** One that cannot hear of it shows nothing: long enough for another worker to take what waits. */
  readonly deafStopGraceMs: number
  /** Results that waited for the gateway arrive within this time of its return. */
  readonly arrearsMs: number
  readonly sweepEveryMs: number
  /** The same for an endpoint where no job waits or runs. */
  readonly quietSweepEveryMs: number
  /** What the kept results of all endpoints may weigh together. */
  readonly keepBytes: number
}

export const DEFAULT_PLAN_POLICY: PlanPolicy = {
  heartbeatLostMs: 60_000,
  leaseMs: 40_000,
  initTimeoutMs: 420_000,
  settleMs: 3000,
  reapGraceMs: 15_000,
  drainSettleMs: 100,
  stopGraceMs: 10_000,
  deafStopGraceMs: 1000,
  arrearsMs: 15_000,
  sweepEveryMs: 5000,
  quietSweepEveryMs: 60_000,
  keepBytes: Infinity,
}

export type InFlightKind = 'start' | 'other'

export interface Observed {
  /** In the configured order. */
  readonly hosts: readonly HostView[]
  readonly endpoints: readonly EndpointView[]
  /** Keys (`actionKey`) of what is being done right now; the plan leaves these alone. */
  readonly inFlight: ReadonlyMap<string, InFlightKind>
  readonly stopRequests: ReadonlyMap<string, StopRequest>
  /** By worker id. */
  readonly strangers: ReadonlyMap<string, Stranger>
  /** Since when workers can report without a gap, epoch ms; undefined: they cannot, so that their silence proves nothing. */
  readonly planeUpSince: number | undefined
  /** Retire everything and start nothing. */
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
  readonly reason: Reason
}

interface OnWorker {
  readonly endpointId: string
  readonly workerId: string
  readonly hostId: string
}

export type Action =
  | StartAction
  /** Its record stands and its container was never started: the scaler that placed it is gone. */
  | (OnWorker & { readonly kind: 'resume' })
  /** Its endpoint's spec changed; `busy` decides which billing state follows. */
  | (OnWorker & { readonly kind: 'mark-outdated'; readonly busy: boolean })
  /** No more jobs for this worker. */
  | (OnWorker & { readonly kind: 'drain'; readonly reason: Reason })
  /** SIGTERM, then SIGKILL. */
  | (OnWorker & { readonly kind: 'stop'; readonly reason: Reason })
  /** The worker is dead: clear away its container and its record. `isStartFailure` makes the next start wait. */
  | (OnWorker & { readonly kind: 'remove'; readonly reason: Reason; readonly isStartFailure: boolean })
  /** A container of ours that no record knows. */
  | (OnWorker & { readonly kind: 'reap' })
  /** A lost worker's job goes back to the queue. `workerId` undefined: its lease expired. */
  | {
      readonly kind: 'take-back'
      readonly endpointId: string
      readonly jobId: string
      readonly workerId: string | undefined
      readonly reason: Reason
      /** Whose lease expired: a worker that loses one is replaced, since its id is the fence of its leases. */
      readonly lastHolder?: string | undefined
      /** Where evidence may be found. */
      readonly hostId: string | undefined
    }
  /** A job ran past its execution timeout (client-api §4.4). */
  | { readonly kind: 'time-out'; readonly endpointId: string; readonly jobId: string; readonly workerId: string | undefined }
  /** Removes what has expired, and old results beyond `keepBytes`. `remind`: the gateways are to look at the queue once more. */
  | { readonly kind: 'sweep'; readonly endpointId: string; readonly keepBytes: number; readonly remind: boolean }
  | { readonly kind: 'forget-endpoint'; readonly endpointId: string }

/** Those of one kind. */
export type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>

/** Actions with the same key run one after another; while one of them runs, the next plan leaves that key alone. */
export function actionKey(action: Action): string {
  if ('workerId' in action && action.workerId !== undefined && action.kind !== 'time-out') return workerKey(action.workerId)
  return 'jobId' in action ? `job:${action.jobId}` : `${action.kind}:${action.endpointId}`
}

export function workerKey(workerId: string): string {
  return `worker:${workerId}`
}

/** What the scaler says of an endpoint (the store's `ScalerStatus` without its time). */
export interface EndpointStatus {
  readonly throttled: number
  readonly unhealthy: number
  readonly reason: Reason | undefined
  readonly message: string | undefined
  /** When the next start is tried after failed ones, epoch ms; undefined: nothing is waited for, or a try is under way. */
  readonly nextTryAt: number | undefined
}

export interface Plan {
  readonly actions: readonly Action[]
  readonly statuses: ReadonlyMap<string, EndpointStatus>
  /** The earliest time at which the plan changes by itself, epoch ms; Infinity: never. */
  readonly nextDueAt: number
}
