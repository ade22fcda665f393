// Reads a job, and reports what became of one that is not there (client-api §8.2).
import { RunyardError, type Endpoint, type JobRecord } from '@runyard/schema'
import type { GoneJob } from '@runyard/store'
import { isJobId } from '../http/access.ts'
import type { GatewayDeps } from '../parts/deps.ts'

/** @throws RunyardError('not_found') */
export async function requireJob(deps: Pick<GatewayDeps, 'store'>, endpointId: string, jobId: string): Promise<JobRecord> {
  const record = await deps.store.jobs.get(endpointId, jobId)
  if (record === undefined) throw await jobNotFound(deps, endpointId, jobId)
  return record
}

/** A job by its id alone, of one of these endpoints, as Redis has it. An id that none can have is not asked for: it could name another key of Redis. */
export async function findJob(
  jobs: Pick<GatewayDeps['store']['jobs'], 'get'>,
  endpoints: readonly Endpoint[],
  id: string,
): Promise<{ readonly endpoint: Endpoint; readonly job: JobRecord } | undefined> {
  if (!isJobId(id)) return undefined
  const found = await Promise.all(endpoints.map(async (endpoint) => ({ endpoint, job: await jobs.get(endpoint.id, id) })))
  return found.flatMap(({ endpoint, job }) => (job === undefined ? [] : [{ endpoint, job }]))[0]
}

/** The error for a job that the store does not have. Costs a read, only then. */
export async function jobNotFound({ store }: Pick<GatewayDeps, 'store'>, endpointId: string, jobId: string): Promise<RunyardError> {
  const gone = await store.jobs.whyGone(endpointId, jobId)
  return new RunyardError('not_found', `job not found: ${jobId}${gone === undefined ? '' : ` ${describeGone(gone)}`}`)
}

export function describeGone({ status, endedAt, goneAt, why }: GoneJob): string {
  const at = new Date(goneAt).toISOString()
  if (why === 'ttl') return `was deleted by its ttl at ${at} while it was ${status}`
  const after = `${describeSpan(goneAt - endedAt)} after it ended`
  if (why === 'expired') return `was ${status}; its result expired at ${at}, ${after}`
  return `was ${status}; its result made room for newer ones at ${at}, ${after} (retention.endpointBytes)`
}

/** `30 minutes`, `1 minute`, `12 seconds`. */
function describeSpan(ms: number): string {
  const [count, unit] = ms < 60_000 ? [Math.round(ms / 1000), 'second'] : [Math.round(ms / 60_000), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
