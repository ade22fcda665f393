// What is asked about one job and about a queue. Each answer is one snapshot.
import type { JobSubmission } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { toJobRecord } from './job-record.ts'
import { READ, READ_STREAM, READ_SUBMISSION, STATS } from './scripts/reads.ts'
import type { Reply } from './scripts/script.ts'
import { SET_RETENTION } from './scripts/sweeps.ts'
import type { JobStore } from './types.ts'

type JobReads = Pick<JobStore, 'get' | 'submission' | 'readStream' | 'setRetention' | 'stats'>

export function createJobReads(context: StoreContext): JobReads {
  const { keys, run } = context
  return {
    get: async (endpointId, jobId) => toJobRecord(jobId, await run(READ, [keys.queue(endpointId)], [jobId])),

    async submission(endpointId, jobId) {
      const data = await run(READ_SUBMISSION, [keys.queue(endpointId)], [jobId])
      return typeof data === 'string' && data !== '' ? (JSON.parse(data) as JobSubmission) : undefined
    },

    async readStream(endpointId, jobId, limit) {
      const reply = await run(READ_STREAM, [keys.queue(endpointId)], [jobId, limit])
      if (!Array.isArray(reply)) return undefined
      const [row, chunks, remaining] = reply as [Reply, string[], number]
      const record = toJobRecord(jobId, row)
      if (record === undefined) return undefined
      return { record, chunks: chunks.map((chunk) => JSON.parse(chunk) as unknown), more: remaining > 0 }
    },

    async setRetention(endpointId, jobId, ttlMs) {
      await run(SET_RETENTION, [keys.queue(endpointId)], [jobId, Math.round(ttlMs), Date.now()])
    },

    async stats(endpointId) {
      const reply = (await run(STATS, [keys.queue(endpointId)], [])) as readonly (string | number | null)[]
      const [normal = 0, low = 0, active = 0, oldestNormal, oldestLow, completed, failed, retried, ended, keptBytes] = reply
      const oldest = [oldestNormal, oldestLow].filter((at) => at !== null && at !== undefined).map(Number)
      return {
        waiting: Number(normal) + Number(low),
        waitingNormal: Number(normal),
        inProgress: Number(active),
        oldestWaitingAt: oldest.length === 0 ? undefined : Math.min(...oldest),
        completed: Number(completed ?? 0),
        failed: Number(failed ?? 0),
        retried: Number(retried ?? 0),
        ended: Number(ended ?? 0),
        keptBytes: Number(keptBytes ?? 0),
      }
    },
  }
}
