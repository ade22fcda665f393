// What a courier knows of the outbox (`WebhookStore`); the rest of the store's border is in `types.ts`.
import type { JobRecord, JsonText, Webhook, WebhookAttempt } from '@runyard/schema'

/** One event under the lease of whoever claimed it. */
export interface ClaimedWebhook {
  readonly endpointId: string
  /** The same in every attempt. */
  readonly eventId: string
  /** The receiver's host and port. */
  readonly lane: string
  readonly token: string
  /** 1 for the first. */
  readonly attempt: number
  readonly jobId: string
  /** By `redeliver`: then its age does not matter. */
  readonly isAskedFor: boolean
  /** When the job ended, epoch ms. */
  readonly endedAt: number
  readonly webhook: Webhook
  /** What is told; the job's own record may be gone meanwhile. Large values come from the blob store; `input` is absent where it is gone there. */
  read(): Promise<{ readonly record: JobRecord; readonly input?: JsonText }>
}

export interface ClaimOptions {
  readonly now: number
  /** Afterwards the event is anybody's again. */
  readonly leaseMs: number
  readonly limit: number
  /** How many events of one lane may be in delivery at a time, and how many are. */
  readonly perLane: number
  readonly busy: ReadonlyMap<string, number>
}

export interface WebhookStore {
  /** Endpoints that may have something to deliver now or later. */
  endpoints(): Promise<readonly string[]>
  /**
   * Takes what is due. `nextAt`: when to look again, epoch ms; `isMoreDue`: there was no room for all; `dropped`: how many went because the
   * outbox was full, each told once.
   */
  claim(
    endpointId: string,
    options: ClaimOptions,
  ): Promise<{ events: readonly ClaimedWebhook[]; nextAt: number | undefined; isMoreDue: boolean; dropped: number }>
  /** Logs the attempt and does what it says: done, due again at `nextAt`, or given up. False: the lease was lost, somebody else delivers it. */
  finish(event: Omit<ClaimedWebhook, 'read'>, attempt: WebhookAttempt): Promise<boolean>
  /** Makes an event due now that waits or was given up within the last day. */
  redeliver(endpointId: string, eventId: string): Promise<'due' | 'in_delivery' | 'unknown'>
  /** The delivery log, newest first: the last 1000 attempts, kept for a week. */
  attempts(endpointId: string, limit: number): Promise<readonly WebhookAttempt[]>
  /** What is still to be delivered; `bytes`: with what was given up and can be asked for again. */
  pending(endpointId: string): Promise<{ count: number; oldestAt: number | undefined; bytes: number }>
  /** What an owner's webhooks are signed with, the newest first: one secret, or two from a rotation on. Made on first use. */
  secrets(ownerId: string): Promise<readonly string[]>
  /** Puts a new secret first and keeps the one before it. */
  rotateSecret(ownerId: string): Promise<readonly string[]>
}
