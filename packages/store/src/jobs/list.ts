// The jobs of an endpoint as a list, and what is remembered of those that are gone.
import type { JobStatus } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { ifText, retriesOf, toNumber, withoutUndefined } from './job-record.ts'
import { LIST } from '../scripts/reads.ts'
import { WHY_GONE } from '../scripts/sweeps.ts'
import type { JobStore, JobSummary } from '../types.ts'

type ListRow = readonly [
  id: string,
  status: JobStatus,
  submittedAt: string,
  startedAt: string | null,
  settledAt: string | null,
  attempts: string | null,
  workerId: string | null,
]

export function createJobList({ keys, run, options }: StoreContext): Pick<JobStore, 'list' | 'whyGone'> {
  return {
    async list(endpointId, { offset, limit }) {
      const { asyncMs, syncMs } = options.retention
      const args = [offset, limit, Date.now() - asyncMs, Date.now() - syncMs]
      const [total, rows] = (await run(LIST, [keys.queue(endpointId)], args)) as unknown as readonly [number, readonly ListRow[]]
      return { total, jobs: rows.map(toListed) }
    },

    async whyGone(endpointId, jobId) {
      const entry = await run(WHY_GONE, [keys.queue(endpointId)], [jobId])
      if (!Array.isArray(entry)) return undefined
      const [status, endedAt, goneAt, why] = entry as [JobStatus, string, string, 'kept' | 'expired' | 'room' | 'ttl']
      return { status, endedAt: Number(endedAt), goneAt: Number(goneAt), why: why === 'kept' ? 'expired' : why }
    },
  }
}

function toListed([id, status, submittedAt, startedAt, settledAt, attempts, workerId]: ListRow): JobSummary {
  return withoutUndefined({
    id,
    status,
    submittedAt: Number(submittedAt),
    startedAt: toNumber(startedAt),
    settledAt: toNumber(settledAt),
    retries: retriesOf(attempts),
    workerId: ifText(workerId),
  }) as JobSummary
}
