// What is remembered of workers, endpoints and the scaler for those who look; the rest of the store's border is in `types.ts`.
import type { EndpointEvent } from '@runyard/schema'

export type LogSource = 'container' | 'system'

export interface StoredLine {
  readonly at: number
  readonly line: string
}

export interface WorkerLogStore {
  /** Long lines are cut; beyond a thousand lines or 2 MiB the oldest go. */
  append(workerId: string, source: LogSource, lines: readonly StoredLine[]): Promise<void>
  read(workerId: string, source: LogSource, tail: number): Promise<readonly StoredLine[]>
  /**
   * What came after the first `had` lines, of what is still kept; `undefined`: everything that is kept. `number` counts all lines that there
   * ever were, from 1. `ever`: how many that is.
   */
  readAfter(
    workerId: string,
    source: LogSource,
    had: number | undefined,
  ): Promise<{ readonly ever: number; readonly lines: readonly (StoredLine & { readonly number: number })[] }>
  /** For this long, lines of the worker are announced by the signal `worker-logged`. */
  follow(workerId: string, forMs: number): Promise<void>
}

export interface EventStore {
  /** Beyond a thousand the oldest go. Of an endpoint that was forgotten nothing is written any more. */
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
  /** The scaler's last word on an endpoint; of one that was forgotten nothing is written. */
  put(endpointId: string, status: ScalerStatus): Promise<void>
  get(endpointId: string): Promise<ScalerStatus | undefined>
}
