// Ids of jobs come from the wire and become parts of the names of Redis' keys. What can be none is refused here, once the caller is known and
// before the body is read: asked for a job called `wait`, Redis would look into BullMQ's own list of that name.
import type { FastifyRequest } from 'fastify'
import { JobId, RunyardError } from '@runyard/schema'

interface JobIds {
  readonly jobId?: string
  readonly batchId?: string
  /** Of a batch; the id of the job that it becomes. */
  readonly requestId?: string
}

/** Whether a route has any. */
export function hasIds(url: string): boolean {
  return /:(?:jobId|batchId|requestId)\b/.test(url)
}

/** @throws RunyardError('not_found') */
export function refuseOddIds(request: FastifyRequest): void {
  const { jobId, batchId, requestId } = request.params as JobIds
  const odd = [jobId, batchId, requestId].find((id) => id !== undefined && !isJobId(id))
  if (odd !== undefined) throw new RunyardError('not_found', `not found: ${odd}`)
}

export function isJobId(text: string): boolean {
  return JobId.safeParse(text).success
}
