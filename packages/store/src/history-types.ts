// What is remembered of workers, endpoints and the scaler for those who look; the rest of the store's border is in `types.ts`.
import type { EndpointEvent } from '@runyard/schema'

export interface WorkerLogStore {
  append(workerId: string, source: 'container' | 'system', lines: readonly { at: number; line: string }[]): Promise<void>
  read(workerId: string, source: 'container' | 'system', tail: number): Promise<readonly { at: number; line: string }[]>
}

export interface EventStore {
  append(...events: readonly EndpointEvent[]): Promise<void>
  /** Oldest first, at most `limit` of the newest. */
  list(endpointId: string, limit: number): Promise<readonly EndpointEvent[]>
}

export interface ScalerStatus {
  readonly at: number
  /** Workers wanted now that no host can take, with the sentence why. */
  readonly throttled: number
  readonly reason: string | undefined
  readonly message: string | undefined
  readonly unhealthy: number
  /** When a start is tried again after failed ones, epoch ms. */
  readonly nextTryAt?: number | undefined
}

export interface StatusStore {
  /** The scaler's last word on an endpoint. */
  put(endpointId: string, status: ScalerStatus): Promise<void>
  get(endpointId: string): Promise<ScalerStatus | undefined>
}
