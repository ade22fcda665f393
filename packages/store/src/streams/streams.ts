// The chunks of a job, as they are told to whoever follows it. `/stream` hands each out once (client-api R5): a read claims chunks, and they go
// when the answer has been told, else they are handed out again (ADR 25). OpenAI answers read by index and take nothing.
import { randomBytes } from 'node:crypto'
import { asJson, type JsonText } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { toJobRecord, toStoredRecord } from '../jobs/job-record.ts'
import type { JobAt } from '../blobs/payloads.ts'
import type { Reply } from '../scripts/script.ts'
import { CLAIM_CHUNKS, CONCLUDE_CLAIM, READ_CHUNKS } from '../scripts/streams.ts'
import { readChunk, readRecord } from '../jobs/stored-values.ts'
import type { JobStore } from '../types.ts'

/** Longer than an answer takes; shorter than readers are patient when a gateway has died with it. */
const DEFAULT_CLAIM_MS = 10_000

type JobStreams = Pick<JobStore, 'claimChunks' | 'concludeClaim' | 'readChunks'>

export function createJobStreams(context: StoreContext): JobStreams {
  const { keys, run, payloads, options, onError } = context
  const claimMs = options.claimMs ?? DEFAULT_CLAIM_MS
  const concludeClaim = createConclude(context)
  return {
    concludeClaim,

    async claimChunks(endpointId, jobId, limit) {
      const claim = randomBytes(9).toString('base64url')
      const reply = await run(CLAIM_CHUNKS, [keys.queue(endpointId)], [jobId, limit, claim, claimMs])
      if (!Array.isArray(reply)) return undefined
      const [row, texts, left, heldBackMs] = reply as [Reply, string[], number, number]
      const record = toJobRecord(jobId, row)
      if (record === undefined) return undefined
      if (texts.length === 0) return { record, chunks: [], more: left > 0, claim: undefined, heldBackMs }
      try {
        const chunks = await loadClaimed(context, { endpointId, jobId }, texts)
        return { record, chunks, more: left + texts.length > chunks.length, claim, heldBackMs }
      } catch (error) {
        await concludeClaim(endpointId, jobId, { claim, told: 0 }).catch(onError)
        throw error
      }
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
  }
}

/** Only the last of them can be a large one (`CLAIM_CHUNKS`). While it cannot be had, the small ones before it are told without it. */
async function loadClaimed({ payloads }: StoreContext, at: JobAt, texts: readonly string[]): Promise<readonly JsonText[]> {
  const small = texts.slice(0, -1).map(asJson)
  try {
    return [...small, await readChunk(payloads, at, texts.at(-1) ?? 'null')]
  } catch (error) {
    if (small.length === 0) throw error
    return small
  }
}

function createConclude({ keys, run, signals, payloads }: StoreContext): JobStore['concludeClaim'] {
  return async (endpointId, jobId, { claim, told }) => {
    const signal = { kind: 'job-chunk', endpointId, jobId } as const
    const args = [jobId, claim, told, signals.channel, signals.encode(signal)]
    const reply = await run(CONCLUDE_CLAIM, [keys.queue(endpointId)], args)
    if (!Array.isArray(reply)) return false
    const [isAwaited, large] = reply as [number, string]
    payloads.discard({ endpointId, jobId }, large)
    if (isAwaited === 1) signals.deliver(signal)
    return true
  }
}
