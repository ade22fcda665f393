// What is asked about one job and about a queue. Each answer is one snapshot.
import type { JobRecord } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { toJobRecord, toStoredRecord } from './job-record.ts'
import { isReference, type JobAt } from './payloads.ts'
import { PUT_BACK_CHUNK, READ, READ_CHUNKS, READ_STREAM, READ_SUBMISSION, STATS } from './scripts/reads.ts'
import type { Reply } from './scripts/script.ts'
import { readChunk, readRecord, readSubmission } from './stored-values.ts'
import { SET_RETENTION } from './scripts/sweeps.ts'
import type { JobStore, QueueStats, StreamRead } from './types.ts'

type JobReads = Pick<JobStore, 'get' | 'submission' | 'readStream' | 'readChunks' | 'setRetention' | 'stats'>

export function createJobReads(context: StoreContext): JobReads {
  const { keys, run, payloads, justSettled } = context
  return {
    async get(endpointId, jobId) {
      const known = justSettled.find({ endpointId, jobId })
      if (known !== undefined) return known
      const stored = toStoredRecord(jobId, await run(READ, [keys.queue(endpointId)], [jobId]))
      return stored === undefined ? undefined : readRecord(payloads, { endpointId, jobId }, stored)
    },

    async submission(endpointId, jobId) {
      const data = await run(READ_SUBMISSION, [keys.queue(endpointId)], [jobId])
      return typeof data === 'string' && data !== '' ? readSubmission(payloads, { endpointId, jobId }, data) : undefined
    },

    async readStream(endpointId, jobId, limit) {
      const reply = await run(READ_STREAM, [keys.queue(endpointId)], [jobId, limit])
      if (!Array.isArray(reply)) return undefined
      const [row, chunks, remaining] = reply as [Reply, string[], number]
      const record = toJobRecord(jobId, row)
      if (record === undefined) return undefined
      return takeChunks(context, { endpointId, jobId }, { record, chunks, remaining })
    },

    async readChunks(endpointId, jobId, { from, limit }) {
      const at = { endpointId, jobId }
      const reply = await run(READ_CHUNKS, [keys.queue(endpointId)], [jobId, from, limit])
      if (!Array.isArray(reply)) return undefined
      const [row, chunks, remaining] = reply as [Reply, string[], number]
      const stored = toStoredRecord(jobId, row)
      if (stored === undefined) return undefined
      // Whoever has read chunks does not ask for the output, which repeats them.
      const record = from === 0 && chunks.length === 0 ? await readRecord(payloads, at, stored) : stored.record
      return { record, chunks: await Promise.all(chunks.map((chunk) => readChunk(payloads, at, chunk))), more: remaining > 0 }
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
  const [normal, low, active, oldestNormal, oldestLow, ...counters] = reply
  const count = (cell: string | number | null | undefined): number => Number(cell ?? 0)
  const [completed, failed, retried, ended, keptBytes, webhooksDropped] = counters
  const oldest = [oldestNormal, oldestLow].filter((at) => at !== null && at !== undefined).map(Number)
  return {
    waiting: count(normal) + count(low),
    waitingNormal: count(normal),
    inProgress: count(active),
    oldestWaitingAt: oldest.length === 0 ? undefined : Math.min(...oldest),
    completed: count(completed),
    failed: count(failed),
    retried: count(retried),
    ended: count(ended),
    keptBytes: count(keptBytes),
    webhooksDropped: count(webhooksDropped),
  }
}

/**
 * Only the last of an answer's chunks can be a large one (`READ_STREAM`). While it cannot be had it goes back to where it was, and the small ones
 * before it are told.
 */
async function takeChunks(
  context: StoreContext,
  at: JobAt,
  { record, chunks, remaining }: { record: JobRecord; chunks: readonly string[]; remaining: number },
): Promise<StreamRead> {
  const { keys, run, payloads } = context
  const last = chunks.at(-1)
  const toValue = (text: string): unknown => JSON.parse(text)
  if (last === undefined || !isReference(last)) return { record, chunks: chunks.map(toValue), more: remaining > 0 }
  const small = chunks.slice(0, -1).map(toValue)
  try {
    const large = await readChunk(payloads, at, last)
    payloads.discard(at, last)
    return { record, chunks: [...small, large], more: remaining > 0 }
  } catch (error) {
    await run(PUT_BACK_CHUNK, [keys.queue(at.endpointId)], [at.jobId, last])
    if (small.length === 0) throw error
    return { record, chunks: small, more: true }
  }
}
