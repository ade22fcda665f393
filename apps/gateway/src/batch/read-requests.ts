// What callers put into a batch: bodies as of `/run`, each checked as one (client-api §5.13, §6).
import { RunyardError, type JobSubmission } from '@runyard/schema'
import { readSubmission, type Origin } from '../jobs/policy.ts'
import { checkChange, LIMITS } from './refusals.ts'

/** @throws RunyardError('bad_request') that names the first one that is wrong */
export function readRequests(requests: unknown, origin: Origin & { readonly batchId: string }): readonly JobSubmission[] {
  if (!Array.isArray(requests)) throw new RunyardError('bad_request', 'the requests must be an array of /run bodies')
  if (requests.length > LIMITS.draft.requests) checkChange('too_many')
  return requests.map((request, index) => {
    try {
      return { ...readSubmission(request, origin), batchId: origin.batchId }
    } catch (error) {
      if (!(error instanceof RunyardError)) throw error
      throw new RunyardError(error.code, `requests[${index}]: ${error.message}`)
    }
  })
}

/** @throws RunyardError('bad_request') */
export function readName(body: unknown): string {
  const { name } = (body ?? {}) as { readonly name?: unknown }
  if (typeof name === 'string' && name.trim() !== '' && name.length <= 200) return name.trim()
  throw new RunyardError('bad_request', '"name" must be a text of 1 to 200 characters')
}
