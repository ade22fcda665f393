// Into the queue, in one step: the job, its deadline and the word that it is there.
import type { JobSubmission } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from './end-args.ts'
import { queueLimits, refusalOf } from './queue-limits.ts'
import { SUBMIT, SUBMIT_ONCE } from '../scripts/submits.ts'
import type { Argument } from '../scripts/script.ts'
import { packSubmission } from './stored-values.ts'
import type { JobStore } from '../types.ts'

/** Total life of a job from its submission where the client names none (client-api §6). */
export const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000
/** Below every normal job, which has none; the lowest number runs first among those that have one. */
const LOW_PRIORITY = 1

export function createJobSubmits(context: StoreContext): Pick<JobStore, 'submit' | 'submitOnce'> {
  const { keys, run, signals, payloads, options } = context
  const limits = queueLimits(options.retention)
  const mostKeys = options.retention.idempotencyKeys ?? NO_LIMIT
  return {
    async submit(endpointId, submission) {
      const at = { endpointId, jobId: submission.id }
      const kept = await payloads.pack(at, packSubmission(submission))
      const signal = { kind: 'job-added', endpointId } as const
      const args = [...toArguments(submission, kept.text), signals.channel, signals.encode(signal), ...limits]
      const [, result] = await Promise.all([noteOutbox(context, endpointId, submission), run(SUBMIT, [keys.queue(endpointId)], args)])
      payloads.conclude(at, kept, result === 'accepted')
      const refused = refusalOf(result, options.retention)
      if (refused !== undefined) throw refused
      signals.deliver(signal)
    },

    async submitOnce(endpointId, submission, once) {
      const at = { endpointId, jobId: submission.id }
      const kept = await payloads.pack(at, packSubmission(submission))
      const signal = { kind: 'job-added', endpointId } as const
      const told = [signals.channel, signals.encode(signal)]
      const args = [...toArguments(submission, kept.text), ...told, ...limits, once.key, once.fingerprint, once.windowMs, mostKeys]
      const [, result] = await Promise.all([
        noteOutbox(context, endpointId, submission),
        run(SUBMIT_ONCE, [keys.queue(endpointId)], args) as Promise<string>,
      ])
      payloads.conclude(at, kept, result === 'accepted')
      const refused = refusalOf(result, options.retention)
      if (refused !== undefined) throw refused
      if (result === 'accepted') signals.deliver(signal)
      return result === 'accepted' || result === 'differs' ? { kind: result } : { kind: 'repeated', jobId: result }
    },
  }
}

/** The set of outboxes lies in another slot, so no script can write it beside the job; an outbox that stays empty is harmless. */
export async function noteOutbox({ client, keys }: StoreContext, endpointId: string, { webhook }: JobSubmission): Promise<void> {
  if (webhook !== undefined) await client.sadd(keys.webhooks.endpoints, endpointId)
}

/** A job as the scripts read it (`enqueueSubmitted`). Its options are what sweeps, webhooks and its end need to know without reading its data. */
export function toArguments(submission: JobSubmission, data: string, keepMs?: number): readonly Argument[] {
  const now = Date.now()
  const { id, sync, policy, webhook } = submission
  const { executionTimeoutMs, ttlMs } = policy
  const priority = policy.lowPriority === true ? LOW_PRIORITY : 0
  // The receiver's host and port: in its lane the job's end will be told (`outbox.ts`).
  const lane = webhook && new URL(webhook.url).host
  const options = JSON.stringify({ priority, executionTimeoutMs, ttlMs, webhook: lane, keepMs })
  const deadline = now + (ttlMs ?? DEFAULT_TTL_MS)
  return [id, sync ? 'sync' : 'async', data, options, priority, now, deadline]
}
