// What is asked about one job and about a queue. Each answer is one snapshot.
import type { StoreContext } from '../context.ts'
import { toStoredRecord } from './job-record.ts'
import { HOLDER, READ, READ_SUBMISSION, STATS } from '../scripts/reads.ts'
import { readRecord, readSubmission } from './stored-values.ts'
import { SET_RETENTION } from '../scripts/sweeps.ts'
import type { JobStore, QueueStats } from '../types.ts'

type JobReads = Pick<JobStore, 'get' | 'holds' | 'submission' | 'setRetention' | 'stats'>

export function createJobReads(context: StoreContext): JobReads {
  const { keys, run, payloads, justSettled } = context
  return {
    async get(endpointId, jobId) {
      const known = justSettled.find({ endpointId, jobId })
      if (known !== undefined) return known
      const stored = toStoredRecord(jobId, await run(READ, [keys.queue(endpointId)], [jobId]))
      return stored === undefined ? undefined : readRecord(payloads, { endpointId, jobId }, stored)
    },

    async holds(endpointId, jobId, workerId) {
      return (await run(HOLDER, [keys.queue(endpointId)], [jobId])) === workerId
    },

    async submission(endpointId, jobId) {
      const data = await run(READ_SUBMISSION, [keys.queue(endpointId)], [jobId])
      return typeof data === 'string' && data !== '' ? readSubmission(payloads, { endpointId, jobId }, data) : undefined
    },

    async setRetention(endpointId, jobId, ttlMs) {
      await run(SET_RETENTION, [keys.queue(endpointId)], [jobId, Math.round(ttlMs), Date.now()])
    },

    async stats(endpointId) {
      return toStats((await run(STATS, [keys.queue(endpointId)], [])) as readonly (string | number | null)[])
    },
  }
}

function toStats(reply: readonly (string | number | null)[]): QueueStats {
  const [normal, low, active, oldestNormal, oldestLow, oldestSuspect, nextDeadline, ...counters] = reply
  const count = (cell: string | number | null | undefined): number => Number(cell ?? 0)
  const [completed, failed, retried, ended, keptBytes, webhooksDropped, cancelled, timedOut, expired] = counters
  const oldest = [oldestNormal, oldestLow, oldestSuspect].filter((at) => at !== null && at !== undefined).map(Number)
  return {
    waiting: count(normal) + count(low),
    waitingNormal: count(normal),
    inProgress: count(active),
    nextDeadlineAt: nextDeadline === null || nextDeadline === undefined ? undefined : Number(nextDeadline),
    oldestWaitingAt: oldest.length === 0 ? undefined : Math.min(...oldest),
    completed: count(completed),
    failed: count(failed),
    cancelled: count(cancelled),
    timedOut: count(timedOut),
    retried: count(retried),
    ended: count(ended),
    keptBytes: count(keptBytes),
    expiredUntaken: count(expired),
    webhooksDropped: count(webhooksDropped),
  }
}
