// What the client's routes answer, as far as our own commands read it. The job plane's words are client-api §4–5, the rest is REST v2
// (management §3) and its two extensions, `events` and `usage`.
import type { BillingState, EndpointEvent, JobStatus, Reason, WebhookAttempt, WorkerStatus } from '@runyard/schema'

/** `memory` in GB. */
export interface CpuSize {
  readonly id: string
  readonly vcpuCount: number
  readonly memory?: number
}

/** `queueDelay` in seconds. */
export type ScalingView =
  | { readonly type: 'QUEUE_DELAY'; readonly queueDelay: number }
  | { readonly type: 'REQUEST_COUNT'; readonly requestCount: number }

/** `idleTimeout` in seconds, `timeout` in ms, `disk` in GB. */
export interface EndpointView {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly args: string
  readonly disk: number | null
  /** Id of registry credentials. */
  readonly registry: string | null
  readonly env: Readonly<Record<string, string>>
  readonly gpu: { readonly pools: readonly string[]; readonly excludedTypes: readonly string[]; readonly count: number } | null
  readonly cpu: readonly CpuSize[] | null
  readonly workers: { readonly min: number; readonly max: number; readonly idleTimeout?: number }
  readonly scaling: ScalingView
  readonly timeout: number
  readonly requestUrls: Readonly<Record<string, string>>
}

/** What a POST or PATCH of an endpoint says; the server names what is missing or wrong (management §3.2). */
export interface EndpointBody {
  readonly name?: string
  readonly type?: 'QUEUE'
  readonly image?: string
  readonly args?: string
  readonly disk?: number
  readonly registry?: string | null
  readonly env?: Readonly<Record<string, string>>
  readonly gpu?: { readonly pools?: readonly string[]; readonly excludedTypes?: readonly string[]; readonly count?: number }
  readonly cpu?: readonly CpuSize[]
  readonly workers?: { readonly min?: number; readonly max?: number; readonly idleTimeout?: number }
  readonly scaling?: ScalingView
  readonly timeout?: number
}

/** What is told of registry credentials. */
export interface RegistryView {
  readonly id: string
  readonly name: string
}

export interface WorkerView {
  readonly id: string
  /** null: wanted, but not placed yet. */
  readonly image: string | null
  readonly status: WorkerStatus
  readonly uptimeSeconds: number | null
  readonly gpuTypeId: string | null
  readonly gpuCount: number
}

export interface HealthView {
  readonly jobs: Readonly<Record<'completed' | 'failed' | 'inProgress' | 'inQueue' | 'retried', number>>
  readonly workers: Readonly<Record<'idle' | 'initializing' | 'ready' | 'running' | 'throttled' | 'unhealthy', number>>
  readonly reason?: Reason
  readonly message?: string
  /** Where starts failed: when the next one is tried, ISO 8601. */
  readonly nextTryAt?: string
}

export interface JobView {
  readonly id: string
  readonly status: JobStatus
  readonly output?: unknown
  readonly error?: string
  readonly workerId?: string
  /** Milliseconds. */
  readonly delayTime?: number
  readonly executionTime?: number
}

/** A job as `/requests` lists it (client-api §5.10). */
export interface JobSummary extends Pick<JobView, 'id' | 'status' | 'workerId' | 'delayTime' | 'executionTime'> {
  /** Epoch ms. */
  readonly createdAt: number
}

export interface JobPage {
  readonly requests: readonly JobSummary[]
  readonly total: number
  readonly hasMore: boolean
}

export interface StreamView extends Pick<JobView, 'status'> {
  readonly stream: readonly { readonly output: unknown }[]
}

export interface UsageLine {
  /** null: of deleted endpoints, where only sums of days are left. */
  readonly endpointId: string | null
  /** null: the endpoint is gone. */
  readonly endpointName: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  readonly seconds: number
  readonly billableSeconds: number
  readonly gpuSeconds: number
}

export interface UsageView {
  readonly from: string
  readonly to: string
  readonly usage: readonly UsageLine[]
}

export interface EventsView {
  readonly events: readonly EndpointEvent[]
}

export interface WebhookLogView {
  readonly attempts: readonly WebhookAttempt[]
  /** Still to be delivered; when the job of the oldest ended, epoch ms; what they weigh in Redis. */
  readonly pending: { readonly count: number; readonly oldestAt?: number; readonly bytes: number }
}

export interface WorkerLogsView {
  /** What the worker printed, each line with its time. */
  readonly container: readonly string[]
  /** What was done to it. */
  readonly system: readonly string[]
}
