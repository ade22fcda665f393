// Every way a job ends or goes back, and what a worker writes on the way there. All fenced: the lock's token is the worker's id, and
// the first outcome stays. A write that comes too late changes nothing and says why.
import type { JobOutcome } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { toJobRecord } from './job-record.ts'
import { FORCE_SETTLE, SETTLE } from './scripts/ends.ts'
import { TAKE_BACK } from './scripts/returns.ts'
import type { Reply } from './scripts/script.ts'
import { APPEND_CHUNK, PROGRESS } from './scripts/worker-writes.ts'
import type { JobStore, SettleResult } from './types.ts'

type JobEnds = Pick<JobStore, 'settle' | 'forceSettle' | 'takeBack' | 'progress' | 'appendChunk'>

export function createJobEnds(context: StoreContext): JobEnds {
  const { keys, run, signals, options } = context
  const { asyncMs, syncMs } = options.retention

  return {
    async settle(...[endpointId, jobId, workerId, outcome]) {
      const signal = { kind: 'job-settled', endpointId, jobId } as const
      const end = [Date.now(), outcome.status, JSON.stringify(outcome), asyncMs, syncMs] as const
      const args = [jobId, workerId, ...end, signals.channel, signals.encode(signal)]
      const result = (await run(SETTLE, [keys.queue(endpointId)], args)) as SettleResult
      if (result === 'settled') signals.deliver(signal)
      return result
    },

    async forceSettle(endpointId, jobId, outcome) {
      const signal = { kind: 'job-settled', endpointId, jobId } as const
      const end = [Date.now(), outcome.status, JSON.stringify(outcome), asyncMs, syncMs] as const
      const args = [jobId, ...end, signals.channel, signals.encode(signal)]
      const reply = await run(FORCE_SETTLE, [keys.queue(endpointId)], args)
      const [result, heldBy, row] = reply as [SettleResult | 'unknown', string, Reply]
      if (result === 'settled') signals.deliver(signal)
      const record = toJobRecord(jobId, row)
      return { result, ...(heldBy === '' ? {} : { heldBy }), ...(record === undefined ? {} : { record }) }
    },

    async takeBack(lease, { budget, evidence }) {
      const { endpointId, jobId } = lease
      const settled = { kind: 'job-settled', endpointId, jobId } as const
      const added = { kind: 'job-added', endpointId } as const
      const args = [jobId, lease.workerId ?? '', Date.now(), budget, evidence, asyncMs, syncMs]
      const told = [signals.channel, signals.encode(settled), signals.encode(added)]
      const result = (await run(TAKE_BACK, [keys.queue(endpointId)], [...args, ...told])) as 'requeued' | 'failed' | 'moot'
      if (result === 'failed') signals.deliver(settled)
      if (result === 'requeued') signals.deliver(added)
      return result
    },

    ...createWorkerWrites(context),
  }
}

function createWorkerWrites({ keys, run, signals, options }: StoreContext): Pick<JobEnds, 'progress' | 'appendChunk'> {
  return {
    async progress(...[endpointId, jobId, workerId, output]) {
      const args = [jobId, workerId, options.leaseMs, JSON.stringify(output ?? null)]
      return (await run(PROGRESS, [keys.queue(endpointId)], args)) as SettleResult
    },

    async appendChunk(...[endpointId, jobId, workerId, chunk]) {
      const signal = { kind: 'job-chunk', endpointId, jobId } as const
      const args = [jobId, workerId, options.leaseMs, JSON.stringify(chunk ?? null), signals.channel, signals.encode(signal)]
      const result = (await run(APPEND_CHUNK, [keys.queue(endpointId)], args)) as SettleResult
      if (result === 'settled') signals.deliver(signal)
      return result
    },
  }
}

/** How a job of a deleted endpoint ends. */
export const ENDPOINT_DELETED: JobOutcome = { status: 'CANCELLED', error: 'the endpoint was deleted' }
