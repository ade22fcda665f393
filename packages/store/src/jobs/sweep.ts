// What the periodic sweeps see and remove: leases, and jobs whose TTL elapsed.
import type { JobOutcome, JobRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createEndArgs } from './end-args.ts'
import { ifText, retriesOf, toNumber } from './job-record.ts'
import { LEASES, SWEEP_EXPIRED, SWEEP_REGISTER, TAKE_EXPIRED } from '../scripts/sweeps.ts'
import type { JobStore, Lease } from '../types.ts'

const SWEEP_BATCH = 500
/** In the middle of a long queue each costs some milliseconds of Redis, during which it serves no other client. */
const EXPIRED_AT_ONCE = 100
/** The job itself is gone then (client-api §4.4); its webhook delivers this. */
const TTL_OVER: JobOutcome = { status: 'TIMED_OUT', error: 'the ttl of the job elapsed before it ended' }

export type LeaseRow = readonly [
  id: string,
  holder: string | null,
  submittedAt: string,
  startedAt: string,
  attempts: string,
  options: string | null,
  lastHolder: string | null,
  leftMs: number,
]

export function createJobSweeps(context: StoreContext): Pick<JobStore, 'leases' | 'sweepExpired' | 'takeExpired' | 'sweepRegister'> {
  const { keys, run } = context
  const endArgs = createEndArgs(context)
  const sweepBatch = async (endpointId: string, now: number): Promise<string[]> => {
    const args = [EXPIRED_AT_ONCE, ...endArgs(TTL_OVER, { now })]
    return (await run(SWEEP_EXPIRED, [keys.queue(endpointId)], args)) as string[]
  }
  return {
    async leases(endpointId) {
      const rows = (await run(LEASES, [keys.queue(endpointId)], [])) as unknown as readonly LeaseRow[]
      return rows.map((row) => toLease(endpointId, row))
    },

    async sweepExpired(endpointId, now) {
      const swept: string[] = []
      let batch: string[]
      do {
        batch = await sweepBatch(endpointId, now)
        swept.push(...batch)
      } while (batch.length === EXPIRED_AT_ONCE)
      return swept
    },

    async takeExpired(endpointId) {
      const taken: JobRecord[] = []
      let rows: readonly string[]
      let unlisted = 0
      do {
        const reply = await run(TAKE_EXPIRED, [keys.queue(endpointId)], [SWEEP_BATCH])
        const [some, more] = reply as [readonly string[], number]
        rows = some
        unlisted += more
        taken.push(...rows.map((row) => ({ ...toExpired(row), ...TTL_OVER })))
      } while (rows.length === SWEEP_BATCH)
      return { jobs: taken, unlisted }
    },

    async sweepRegister(endpointId, now, keepBytes = Infinity) {
      const args = [now, SWEEP_BATCH, Math.min(keepBytes, Number.MAX_SAFE_INTEGER)]
      let isDone: unknown
      do isDone = await run(SWEEP_REGISTER, [keys.queue(endpointId)], args)
      while (isDone !== 1)
    },
  }
}

function toExpired(row: string): Omit<JobRecord, 'status'> {
  const [id, submittedAt, startedAt, settledAt, attempts, holder] = JSON.parse(row) as readonly [string, ...(string | null)[]]
  return {
    id,
    submittedAt: Number(submittedAt),
    startedAt: toNumber(startedAt),
    settledAt: Number(settledAt),
    workerId: ifText(holder),
    retries: retriesOf(attempts),
  }
}

export function toLease(
  endpointId: string,
  [jobId, holder, submittedAt, startedAt, attempts, options, lastHolder, leftMs]: LeaseRow,
): Lease {
  const { executionTimeoutMs } = JSON.parse(options ?? '{}') as { executionTimeoutMs?: number }
  return {
    jobId,
    endpointId,
    workerId: holder ?? undefined,
    lastHolder: lastHolder ?? undefined,
    expiresAt: holder === null ? undefined : Date.now() + Math.max(0, leftMs),
    submittedAt: Number(submittedAt),
    startedAt: Number(startedAt),
    attempt: Number(attempts),
    executionTimeoutMs,
  }
}
