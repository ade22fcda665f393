// What the client's routes answer, as far as our own commands read it. The job plane's words are client-api §4–5, the rest is REST v2
// (management §3) and its two extensions, `events` and `usage`.
import type { BillingState, EndpointEvent, JobStatus, Reason, WebhookAttempt, WorkerStatus } from '@runyard/schema'

export interface EndpointView {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly workers: { readonly min: number; readonly max: number; readonly idleTimeout?: number }
}

export interface WorkerView {
  readonly id: string
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

export interface StreamView extends Pick<JobView, 'status'> {
  readonly stream: readonly { readonly output: unknown }[]
}

export interface UsageLine {
  readonly endpointId: string
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
  /** Still to be delivered; when the job of the oldest ended, epoch ms. */
  readonly pending: { readonly count: number; readonly oldestAt?: number }
}

export interface WorkerLogsView {
  /** What the worker printed, each line with its time. */
  readonly container: readonly string[]
  /** What was done to it. */
  readonly system: readonly string[]
}
