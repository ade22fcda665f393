// Every way a job ends or goes back, and what a worker writes on the way there. All fenced: the lock's token is the worker's id, and
// the first outcome stays. A write that comes too late changes nothing and says why.
import { randomUUID } from 'node:crypto'
import type { JobOutcome } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createEndArgs, NO_LIMIT } from './end-args.ts'
import { toJobRecord } from './job-record.ts'
import { newName } from '../blobs/payloads.ts'
import { queueLimits, refusalOf } from './queue-limits.ts'
import { FORCE_SETTLE, SETTLE } from '../scripts/ends.ts'
import { END_PURGED, PURGE } from '../scripts/purges.ts'
import { RETRY, TAKE_BACK } from '../scripts/returns.ts'
import type { Reply } from '../scripts/script.ts'
import { APPEND_CHUNK, PROGRESS } from '../scripts/worker-writes.ts'
import { DEFAULT_TTL_MS } from './submit.ts'
import { packOutcome } from './stored-values.ts'
import type { ChunkResult, JobStore, SettleResult } from '../types.ts'

type JobEnds = Pick<JobStore, 'settle' | 'forceSettle' | 'takeBack' | 'retry' | 'purge' | 'endPurged' | 'progress' | 'appendChunk'>

/** How a job of a purged queue ends: its pollers end, too (client-api §5.8). */
const PURGED: JobOutcome = { status: 'CANCELLED', error: 'the queue was purged' }
/** One script's share: some milliseconds of Redis. */
const PURGED_AT_ONCE = 200

export function createJobEnds(context: StoreContext): JobEnds {
  const { keys, run, signals, payloads, justSettled } = context
  const endArgs = createEndArgs(context)

  return {
    async settle(...[endpointId, jobId, workerId, outcome]) {
      const signal = { kind: 'job-settled', endpointId, jobId } as const
      const at = { endpointId, jobId }
      const kept = await payloads.pack(at, packOutcome(outcome))
      const args = [jobId, workerId, ...endArgs(outcome, { text: kept.text }), signals.channel, signals.encode(signal)]
      const reply = await run(SETTLE, [keys.queue(endpointId)], args)
      const record = toJobRecord(jobId, reply)
      payloads.conclude(at, kept, record !== undefined)
      if (record === undefined) return reply as SettleResult
      justSettled.remember(at, { ...record, ...outcome })
      signals.deliver(signal)
      return 'settled'
    },

    async forceSettle(endpointId, jobId, outcome) {
      const signal = { kind: 'job-settled', endpointId, jobId } as const
      const args = [jobId, ...endArgs(outcome), signals.channel, signals.encode(signal)]
      const reply = await run(FORCE_SETTLE, [keys.queue(endpointId)], args)
      const [result, heldBy, row] = reply as [SettleResult | 'unknown', string, Reply]
      if (result === 'settled') signals.deliver(signal)
      const record = toJobRecord(jobId, row)
      return { result, ...(heldBy === '' ? {} : { heldBy }), ...(record === undefined ? {} : { record }) }
    },

    async takeBack(lease, { budget, evidence, withAll = false }) {
      const { endpointId, jobId } = lease
      const settled = { kind: 'job-settled', endpointId, jobId } as const
      const added = { kind: 'job-added', endpointId } as const
      const args = [jobId, lease.workerId ?? '', budget, evidence, ...endArgs({ status: 'FAILED' })]
      const told = [signals.channel, signals.encode(settled), signals.encode(added), withAll ? 1 : 0]
      const result = (await run(TAKE_BACK, [keys.queue(endpointId)], [...args, ...told])) as 'requeued' | 'failed' | 'moot'
      if (result === 'failed') signals.deliver(settled)
      if (result === 'requeued') signals.deliver(added)
      return result
    },

    ...createCallersWishes(context),
    ...createWorkerWrites(context),
  }
}

function createCallersWishes(context: StoreContext): Pick<JobEnds, 'retry' | 'purge' | 'endPurged'> {
  const { keys, run, signals, options } = context
  const endArgs = createEndArgs(context)

  return {
    async retry(endpointId, jobId) {
      const signal = { kind: 'job-added', endpointId } as const
      const args = [jobId, Date.now(), DEFAULT_TTL_MS, signals.channel, signals.encode(signal), ...queueLimits(options.retention)]
      const result = (await run(RETRY, [keys.queue(endpointId)], args)) as Awaited<ReturnType<JobStore['retry']>>
      const refused = refusalOf(result, options.retention)
      if (refused !== undefined) throw refused
      if (result === 'retried') signals.deliver(signal)
      return result
    },

    async purge(endpointId) {
      const signal = { kind: 'queue-purged', endpointId } as const
      const args = [...endArgs(PURGED), signals.channel, signals.encode(signal)]
      const purged = (await run(PURGE, [keys.queue(endpointId)], args)) as number
      if (purged > 0) signals.deliver(signal)
      return purged
    },

    async endPurged(endpointId, signal) {
      const endSome = async () => (await run(END_PURGED, [keys.queue(endpointId)], [PURGED_AT_ONCE])) === 1
      while (!(await endSome())) if (signal?.aborted === true) return
    },
  }
}

function createWorkerWrites({ keys, run, signals, payloads, options }: StoreContext): Pick<JobEnds, 'progress' | 'appendChunk'> {
  return {
    async progress(...[endpointId, jobId, workerId, output]) {
      const at = { endpointId, jobId }
      // Each value replaces the one before it, also as a blob: a worker has one name.
      const kept = await payloads.keep(at, () => `progress-${workerId}`, output)
      const args = [jobId, workerId, options.leaseMs, kept.text]
      const result = (await run(PROGRESS, [keys.queue(endpointId)], args)) as SettleResult
      payloads.conclude(at, kept, result === 'settled')
      return result
    },

    async appendChunk(...[endpointId, jobId, workerId, chunk, post = randomUUID()]) {
      const signal = { kind: 'job-chunk', endpointId, jobId } as const
      const at = { endpointId, jobId }
      const kept = await payloads.keep(at, newName('chunk'), chunk)
      const args = [jobId, workerId, options.leaseMs, kept.text, signals.channel, signals.encode(signal), post]
      const { streamBytes = NO_LIMIT, unreadBytes = NO_LIMIT } = options.retention
      const weight = [Buffer.byteLength(chunk), streamBytes, unreadBytes]
      const result = (await run(APPEND_CHUNK, [keys.queue(endpointId)], [...args, ...weight])) as ChunkResult | 'repeated'
      payloads.conclude(at, kept, result === 'settled')
      if (result === 'repeated') return 'settled'
      if (result === 'settled') signals.deliver(signal)
      return result
    },
  }
}

/** How a job of a deleted endpoint ends. */
export const ENDPOINT_DELETED: JobOutcome = { status: 'CANCELLED', error: 'the endpoint was deleted' }
