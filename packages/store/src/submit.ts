// Into the queue.
import type { JobSubmission } from '@runyard/schema'
import { jobOptions, type QueuedJob } from './bull.ts'
import type { StoreContext } from './context.ts'
import { SUBMIT_ONCE } from './scripts/submits.ts'
import type { JobStore } from './types.ts'

/** Total life of a job from its submission where the client names none (client-api §6). */
export const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000

export function createJobSubmits({ client, keys, queues, run, signals, payloads }: StoreContext): Pick<JobStore, 'submit' | 'submitOnce'> {
  /** The set of outboxes lies in another slot, so no script can write it beside the job; an outbox that stays empty is harmless. */
  const noteOutbox = async (endpointId: string, { webhook }: JobSubmission) => webhook && client.sadd(keys.webhooks.endpoints, endpointId)

  return {
    async submit(endpointId, submission) {
      const at = { endpointId, jobId: submission.id }
      const kept = await payloads.pack(at, 'input', submission)
      const { job, deadline } = toQueued(submission, kept.text)
      // Written in one burst, the deadline first: a deadline without a job is harmless, a job without a deadline would never be swept.
      const noted = client.zadd(keys.deadlines(endpointId), deadline, submission.id)
      await Promise.all([noted, noteOutbox(endpointId, submission), queues.of(endpointId).add(job)])
      payloads.conclude(at, kept, true)
      signals.publish({ kind: 'job-added', endpointId })
    },

    async submitOnce(endpointId, submission, once) {
      const at = { endpointId, jobId: submission.id }
      const kept = await payloads.pack(at, 'input', submission)
      const { job, deadline } = toQueued(submission, kept.text)
      const signal = { kind: 'job-added', endpointId } as const
      const { priority = 0, ...others } = jobOptions(job)
      const added = [job.id, job.name, job.data, JSON.stringify({ priority, ...others }), priority, job.timestamp, deadline]
      const args = [once.key, once.fingerprint, once.windowMs, ...added, signals.channel, signals.encode(signal)]
      const [, result] = await Promise.all([
        noteOutbox(endpointId, submission),
        run(SUBMIT_ONCE, [keys.queue(endpointId)], args) as Promise<string>,
      ])
      payloads.conclude(at, kept, result === 'accepted')
      if (result === 'accepted') signals.deliver(signal)
      return result === 'accepted' || result === 'differs' ? { kind: result } : { kind: 'repeated', jobId: result }
    },
  }
}

function toQueued(submission: JobSubmission, data: string): { readonly job: QueuedJob; readonly deadline: number } {
  const now = Date.now()
  const { id, sync, policy, webhook } = submission
  const job = {
    id,
    name: sync ? 'sync' : 'async',
    data,
    timestamp: now,
    lowPriority: policy.lowPriority ?? false,
    executionTimeoutMs: policy.executionTimeoutMs,
    ttlMs: policy.ttlMs,
    webhookLane: webhook && new URL(webhook.url).host,
  } as const
  return { job, deadline: now + (policy.ttlMs ?? DEFAULT_TTL_MS) }
}
