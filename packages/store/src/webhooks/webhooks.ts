// The outbox of webhooks as a courier sees it: claim what is due, write what came of it. Which endpoints have an outbox at all is a set of its
// own, so that an installation without webhooks is asked one short question a minute.
import { randomBytes, randomUUID } from 'node:crypto'
import type { WebhookAttempt } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { toNumber, toStoredRecord } from '../jobs/job-record.ts'
import { CLAIM_WEBHOOKS, FINISH_WEBHOOK, REDELIVER_WEBHOOK, ROTATE_SECRET } from '../scripts/outbox.ts'
import type { Argument } from '../scripts/script.ts'
import { readRecord, readStoredSubmission, readSubmission } from '../jobs/stored-values.ts'
import type { ClaimedWebhook, WebhookStore } from './webhook-types.ts'

/** An event that was given up can be delivered again for as long. */
const KEEP_GIVEN_UP_MS = 24 * 60 * 60 * 1000

type JobCells = readonly [id: string, data: string, ...record: (string | null)[]]
type ClaimRow = readonly [eventId: string, lane: string, attempt: number, job: JobCells, isAskedFor: number]
type ClaimReply = readonly [rows: readonly ClaimRow[], nextAt: string | null, isMoreDue: number | null, dropped: number]

export function createWebhookStore(context: StoreContext): WebhookStore {
  const { client, keys, run } = context
  return {
    async claim(endpointId, { now, leaseMs, limit, perLane, busy }) {
      const token = randomUUID()
      const args = [now, now + leaseMs, limit, perLane, token, ...[...busy].flat()]
      const [rows, nextAt, isMoreDue, dropped] = (await run(CLAIM_WEBHOOKS, [keys.queue(endpointId)], args)) as unknown as ClaimReply
      const events = rows.map((row) => toClaimed(context, row, { endpointId, token }))
      return { events, nextAt: toNumber(nextAt), isMoreDue: isMoreDue !== null, dropped }
    },

    async finish({ endpointId, eventId, lane, token }, attempt) {
      const args = [eventId, lane, token, ...verdictOf(attempt), JSON.stringify(attempt)]
      return (await run(FINISH_WEBHOOK, [keys.queue(endpointId)], args)) === 1
    },

    async redeliver(endpointId, eventId) {
      const args = [eventId, Date.now()]
      return (await run(REDELIVER_WEBHOOK, [keys.queue(endpointId)], args)) as 'due' | 'in_delivery' | 'unknown'
    },

    async attempts(endpointId, limit) {
      const lines = await client.lrange(keys.webhookLog(endpointId), 0, limit - 1)
      return lines.map((text) => JSON.parse(text) as WebhookAttempt)
    },

    async pending(endpointId) {
      const [waiting, , weight] = keys.outbox(endpointId)
      const [count, [, oldestAt], bytes] = await Promise.all([
        client.zcard(waiting),
        client.zrange(waiting, '0', '0', 'WITHSCORES'),
        client.get(weight),
      ])
      return { count, oldestAt: toNumber(oldestAt), bytes: Number(bytes ?? 0) }
    },

    endpoints: () => listOutboxes(context),
    ...createSecrets(context),
  }
}

function toClaimed({ payloads }: StoreContext, row: ClaimRow, lease: { endpointId: string; token: string }): ClaimedWebhook {
  const [eventId, lane, attempt, [jobId, data, ...cells], isAskedFor] = row
  const at = { endpointId: lease.endpointId, jobId }
  const stored = toStoredRecord(jobId, ['settled', ...cells.map((cell) => (cell === '' ? null : cell))])
  const { webhook } = readStoredSubmission(data).submission
  if (stored === undefined || webhook === undefined) throw new Error(`the webhook event ${eventId} is not whole`)
  return {
    ...lease,
    eventId,
    lane,
    attempt,
    jobId,
    isAskedFor: isAskedFor === 1,
    endedAt: stored.record.settledAt ?? 0,
    webhook,
    async read() {
      const [record, submission] = await Promise.all([readRecord(payloads, at, stored), readSubmission(payloads, at, data)])
      return submission === undefined ? { record } : { record, input: submission.input }
    },
  }
}

function verdictOf({ outcome, nextAt }: WebhookAttempt): readonly Argument[] {
  if (outcome === 'delivered') return ['delivered', 0]
  return nextAt === undefined ? ['given_up', Date.now() + KEEP_GIVEN_UP_MS] : ['retry', nextAt]
}

/** Endpoints that had jobs with webhooks. One that is gone is forgotten when nothing of it is left to deliver. */
async function listOutboxes({ client, keys }: StoreContext): Promise<readonly string[]> {
  const ids = await client.smembers(keys.webhooks.endpoints)
  if (ids.length === 0) return ids
  const { records, deleted } = keys.endpoints
  const [known, leaving] = await Promise.all([client.hmget(records, ...ids), client.smembers(deleted)])
  const gone = ids.filter((id, index) => known[index] === null && !leaving.includes(id))
  const counts = await Promise.all(gone.map((id) => client.exists(...keys.outbox(id))))
  const done = new Set(gone.filter((_id, index) => counts[index] === 0))
  if (done.size > 0) await client.srem(keys.webhooks.endpoints, ...done)
  return ids.filter((id) => !done.has(id))
}

function createSecrets({ client, keys, run }: StoreContext): Pick<WebhookStore, 'secrets' | 'rotateSecret'> {
  const { secrets } = keys.webhooks
  const read = async (ownerId: string) => {
    const text = await client.hget(secrets, ownerId)
    return text === null ? undefined : (JSON.parse(text) as readonly string[])
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
      return JSON.parse(String(await run(ROTATE_SECRET, [secrets], [ownerId, newSecret()]))) as readonly string[]
    },
  }
}

/** As standardwebhooks.com writes them. */
function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}
