// The courier's view of the outbox of webhooks: claim due events, write the result. The endpoints with an outbox are in a set of their own, so that
// an installation without webhooks costs one short read per minute.
import { randomBytes, randomUUID } from 'node:crypto'
import type { JobRecord, JsonText, Webhook, WebhookAttempt } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { settledRow } from '../jobs/job-record.ts'
import { outboxLua } from '../jobs/parts.ts'
import { readRecord, readStoredSubmission, readSubmission } from '../jobs/stored-values.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, maybe, number, row, text, word } from '../scripts/replies.ts'

/** One event under the lease of the courier that claimed it. */
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
  /** Of the job's caller. */
  readonly traceparent: string | undefined
  /** The reported record; the job's own record may be gone meanwhile. Large values come from the blob store; `input` is absent where it is gone there. */
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
   * outbox was full, each reported once.
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

/** An event that was given up can be delivered again for as long. */
const KEEP_GIVEN_UP_MS = 24 * 60 * 60 * 1000

/** The ended job, as the event has it. */
const jobCells = (reply: unknown) => {
  const [id, data, ...record] = list((cell) => cell)(reply)
  return { id: text(id), data: text(data), toRecord: settledRow(record) }
}
const claimedRow = row({ eventId: text, lane: text, attempt: number, job: jobCells, isAskedFor: flag })

const claimScript = defineScript({
  lua: new URL('./claim-webhooks.lua', import.meta.url),
  uses: [outboxLua],
  keys: ['queue'],
  args: {
    now: 'number',
    leaseUntil: 'number',
    limit: 'number',
    perLane: 'number',
    token: 'text',
    busyLanes: 'texts',
    inDelivery: 'texts',
  },
  onlyIfAwaited: true,
  /** `nextAt`: when to look again. `isMoreDue`: there was no room for all. `dropped`: since this was last reported. */
  reply: row({ rows: list(claimedRow), nextAt: maybe(number), isMoreDue: flag, dropped: number }),
})

const finishScript = defineScript({
  lua: new URL('./finish-webhook.lua', import.meta.url),
  uses: [outboxLua],
  keys: ['queue'],
  args: { event: 'text', lane: 'text', token: 'text', verdict: 'text', nextAt: 'number', attempt: 'text' },
  /** False where the lease was lost. */
  reply: flag,
})

const redeliverScript = defineScript({
  lua: new URL('./redeliver-webhook.lua', import.meta.url),
  uses: [outboxLua],
  keys: ['queue'],
  args: { event: 'text', now: 'number' },
  reply: word('due', 'in_delivery', 'unknown'),
})

const rotateScript = defineScript({
  lua: new URL('./rotate-secret.lua', import.meta.url),
  keys: ['secrets'],
  args: { owner: 'text', secret: 'text' },
  reply: text,
})

export function createWebhookStore(context: StoreContext): WebhookStore {
  const { client, keys, run } = context
  return {
    async claim(endpointId, { now, leaseMs, limit, perLane, busy }) {
      const token = randomUUID()
      const lanes = { busyLanes: [...busy.keys()], inDelivery: [...busy.values()] }
      const claim = { now, leaseUntil: now + leaseMs, limit, perLane, token, ...lanes }
      const { rows, ...rest } = await run(claimScript, { queue: keys.queue(endpointId), ...claim })
      return { events: rows.map((one) => toClaimed(context, one, { endpointId, token })), ...rest }
    },

    async finish({ endpointId, eventId, lane, token }, attempt) {
      const finished = { event: eventId, lane, token, ...verdictOf(attempt), attempt: JSON.stringify(attempt) }
      return run(finishScript, { queue: keys.queue(endpointId), ...finished })
    },

    redeliver: (endpointId, eventId) => run(redeliverScript, { queue: keys.queue(endpointId), event: eventId, now: Date.now() }),

    async attempts(endpointId, limit) {
      const lines = await client.lrange(keys.of(endpointId, 'webhookLog'), 0, limit - 1)
      return lines.map((line): WebhookAttempt => JSON.parse(line))
    },

    async pending(endpointId) {
      const waiting = keys.of(endpointId, 'outbox')
      const [count, [, oldestAt], bytes] = await Promise.all([
        client.zcard(waiting),
        client.zrange(waiting, '0', '0', 'WITHSCORES'),
        client.get(keys.of(endpointId, 'outboxBytes')),
      ])
      return { count, oldestAt: maybe(number)(oldestAt), bytes: Number(bytes ?? 0) }
    },

    endpoints: () => listOutboxes(context),
    ...createSecrets(context),
  }
}

function toClaimed(
  { payloads }: StoreContext,
  claimed: ReturnType<typeof claimedRow>,
  lease: { endpointId: string; token: string },
): ClaimedWebhook {
  const { eventId, lane, attempt, job, isAskedFor } = claimed
  const { id: jobId, data } = job
  const at = { endpointId: lease.endpointId, jobId }
  const stored = job.toRecord(jobId)
  const { webhook, traceparent } = readStoredSubmission(data).submission
  if (webhook === undefined) throw new Error(`the webhook event ${eventId} is not whole`)
  return {
    ...lease,
    eventId,
    lane,
    attempt,
    jobId,
    isAskedFor,
    endedAt: stored.record.settledAt ?? 0,
    webhook,
    traceparent,
    async read() {
      const [record, submission] = await Promise.all([readRecord(payloads, at, stored), readSubmission(payloads, at, data)])
      return submission === undefined ? { record } : { record, input: submission.input }
    },
  }
}

function verdictOf({ outcome, nextAt }: WebhookAttempt): { readonly verdict: 'delivered' | 'given_up' | 'retry'; readonly nextAt: number } {
  if (outcome === 'delivered') return { verdict: 'delivered', nextAt: 0 }
  return nextAt === undefined ? { verdict: 'given_up', nextAt: Date.now() + KEEP_GIVEN_UP_MS } : { verdict: 'retry', nextAt }
}

/** Endpoints that had jobs with webhooks. One that is gone is forgotten when nothing of it is left to deliver. */
async function listOutboxes({ client, keys }: StoreContext): Promise<readonly string[]> {
  const ids = await client.smembers(keys.webhooks.endpoints)
  if (ids.length === 0) return ids
  const { records, deleted } = keys.endpoints
  const [known, leaving] = await Promise.all([client.hmget(records, ...ids), client.smembers(deleted)])
  const gone = ids.filter((id, index) => known[index] === null && !leaving.includes(id))
  const counts = await Promise.all(
    gone.map((id) => client.exists(keys.of(id, 'outbox'), keys.of(id, 'givenUp'), keys.of(id, 'outboxBytes'))),
  )
  const done = new Set(gone.filter((_id, index) => counts[index] === 0))
  if (done.size > 0) await client.srem(keys.webhooks.endpoints, ...done)
  return ids.filter((id) => !done.has(id))
}

function createSecrets({ client, keys, run }: StoreContext): Pick<WebhookStore, 'secrets' | 'rotateSecret'> {
  const { secrets } = keys.webhooks
  const parse = (stored: string): readonly string[] => JSON.parse(stored)
  const read = async (ownerId: string) => {
    const stored = await client.hget(secrets, ownerId)
    return stored === null ? undefined : parse(stored)
  }
  return {
    async secrets(ownerId) {
      const known = await read(ownerId)
      if (known !== undefined) return known
      const fresh = [newSecret()]
      await client.hsetnx(secrets, ownerId, JSON.stringify(fresh))
      return (await read(ownerId)) ?? fresh
    },

    async rotateSecret(ownerId) {
      return parse(await run(rotateScript, { secrets, owner: ownerId, secret: newSecret() }))
    },
  }
}

/** As standardwebhooks.com writes them. */
function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
