// Reads of one job and of a queue. Each reply is one snapshot.
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { maybe, nothing, number, row, text } from '../scripts/replies.ts'
import type { JobStore } from './jobs.ts'
import { recordRow } from './job-record.ts'
import { jobLua } from './parts.ts'
import { readRecord, readStoredSubmission, readSubmission } from './stored-values.ts'

const readScript = defineScript({
  lua: new URL('./read.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text' },
  reply: maybe(recordRow),
})

const holderScript = defineScript({
  lua: new URL('./holder.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text' },
  /** Also one whose lease has run out. */
  reply: maybe(text),
})

const readSubmissionScript = defineScript({
  lua: new URL('./read-submission.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text' },
  reply: maybe(text),
})

const setRetentionScript = defineScript({
  lua: new URL('./set-retention.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text', ttlMs: 'number', now: 'number' },
  reply: nothing,
})

const count = (reply: unknown): number => maybe(number)(reply) ?? 0

const statsScript = defineScript({
  lua: new URL('./stats.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  reply: row({
    waitingNormal: count,
    waitingLow: count,
    inProgress: count,
    oldestNormal: maybe(number),
    oldestLow: maybe(number),
    oldestSuspect: maybe(number),
    nextDeadlineAt: maybe(number),
    completed: count,
    failed: count,
    retried: count,
    ended: count,
    keptBytes: count,
    webhooksDropped: count,
    cancelled: count,
    timedOut: count,
    expiredUntaken: count,
  }),
})

type JobReads = Pick<JobStore, 'get' | 'holds' | 'submission' | 'keyIdOf' | 'setRetention' | 'stats'>

export function createJobReads(context: StoreContext): JobReads {
  const { keys, run, payloads, justSettled } = context
  return {
    async get(endpointId, jobId) {
      const known = justSettled.find({ endpointId, jobId })
      if (known !== undefined) return known
      const toRecord = await run(readScript, { queue: keys.queue(endpointId), id: jobId })
      return toRecord === undefined ? undefined : readRecord(payloads, { endpointId, jobId }, toRecord(jobId))
    },

    async holds(endpointId, id, workerId) {
      return (await run(holderScript, { queue: keys.queue(endpointId), id })) === workerId
    },

    async submission(endpointId, jobId) {
      const data = await run(readSubmissionScript, { queue: keys.queue(endpointId), id: jobId })
      return data === undefined ? undefined : readSubmission(payloads, { endpointId, jobId }, data)
    },

    async keyIdOf(endpointId, jobId) {
      const data = await run(readSubmissionScript, { queue: keys.queue(endpointId), id: jobId })
      return data === undefined ? undefined : readStoredSubmission(data).submission.keyId
    },

    async setRetention(endpointId, id, ttlMs) {
      await run(setRetentionScript, { queue: keys.queue(endpointId), id, ttlMs: Math.round(ttlMs), now: Date.now() })
    },

    async stats(endpointId) {
      const { waitingLow, oldestNormal, oldestLow, oldestSuspect, ...stats } = await run(statsScript, { queue: keys.queue(endpointId) })
      const oldest = [oldestNormal, oldestLow, oldestSuspect].filter((at) => at !== undefined)
      const oldestWaitingAt = oldest.length === 0 ? undefined : Math.min(...oldest)
      return { ...stats, waiting: stats.waitingNormal + waitingLow, oldestWaitingAt }
    },
  }
}
