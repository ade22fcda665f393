// Into the queue and out to a worker: submit, take, give back, renew. A take sets the lease; only a sign of the worker renews it.
import type { JobSubmission } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { GIVE_BACK } from './scripts/returns.ts'
import { RENEW } from './scripts/worker-writes.ts'
import type { JobStore } from './types.ts'

/** Total life of a job from its submission where the client names none (client-api §6). */
const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000

export function createJobTakes(context: StoreContext): Pick<JobStore, 'submit' | 'take' | 'giveBack' | 'renew'> {
  const { client, keys, queues, run, signals, options } = context
  return {
    async submit(endpointId, submission) {
      const now = Date.now()
      const { policy } = submission
      // Written in one burst, the deadline first: a deadline without a job is harmless, a job without a deadline would never be swept.
      const deadline = client.zadd(keys.deadlines(endpointId), now + (policy.ttlMs ?? DEFAULT_TTL_MS), submission.id)
      const added = queues.of(endpointId).add({
        id: submission.id,
        name: submission.sync ? 'sync' : 'async',
        data: JSON.stringify(submission),
        timestamp: now,
        lowPriority: policy.lowPriority ?? false,
        executionTimeoutMs: policy.executionTimeoutMs,
        ttlMs: policy.ttlMs,
        webhook: submission.webhook,
      })
      await Promise.all([deadline, added])
      signals.publish({ kind: 'job-added', endpointId })
    },

    async take(endpointId, workerId) {
      const job = await queues.of(endpointId).next(workerId)
      if (job === undefined) return undefined
      return {
        id: job.id,
        submission: JSON.parse(job.data) as JobSubmission,
        submittedAt: job.timestamp,
        startedAt: job.processedOn,
        attempt: job.attemptsStarted,
      }
    },

    async giveBack(endpointId, jobId, workerId) {
      const signal = { kind: 'job-added', endpointId } as const
      const wentBack = await run(GIVE_BACK, [keys.queue(endpointId)], [jobId, workerId, signals.channel, signals.encode(signal)])
      if (wentBack === 1) signals.deliver(signal)
    },

    async renew(endpointId, workerId, jobIds) {
      if (jobIds.length === 0) return []
      return (await run(RENEW, [keys.queue(endpointId)], [workerId, options.leaseMs, ...jobIds])) as readonly string[]
    },
  }
}
