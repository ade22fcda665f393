// What callers put into a batch: bodies as of `/run`, each checked as one (client-api §5.13, §6).
import { RunyardError, type JobSubmission, type JsonOutline } from '@runyard/schema'
import { outlineBody, outlineSpan, parseBody } from '../http/json-body.ts'
import { nextTurn } from '../http/turns.ts'
import { readSubmissionAt, type Origin } from '../jobs/read-submission.ts'
import { checkChange, LIMITS } from './refusals.ts'

const REQUESTS: ReadonlySet<string> = new Set(['requests'])
/** Some milliseconds. */
const REQUESTS_A_TURN = 200
/** One more than a batch holds tells that there are too many. */
const MOST = LIMITS.draft.requests + 1

type BatchOrigin = Origin & { readonly batchId: string }

/** A body that is a list of them. @throws RunyardError('bad_request') that names the first one that is wrong */
export async function readRequests(body: Buffer, origin: BatchOrigin): Promise<readonly JobSubmission[]> {
  return toRequests(body, await outlineBody(body, { mostElements: MOST }), origin)
}

/** `{"requests": […]}`. @throws RunyardError('bad_request') */
export async function readMoreRequests(body: Buffer, origin: BatchOrigin): Promise<readonly JobSubmission[]> {
  const span = (await outlineBody(body, { members: REQUESTS })).members.get('requests')
  const outline = span === undefined ? undefined : await outlineSpan(body, span, { mostElements: MOST })
  return toRequests(body, outline, origin)
}

async function toRequests(body: Buffer, outline: JsonOutline | undefined, origin: BatchOrigin): Promise<readonly JobSubmission[]> {
  if (outline?.kind !== 'array') throw new RunyardError('bad_request', 'the requests must be an array of /run bodies')
  if (outline.count > LIMITS.draft.requests) checkChange('too_many')
  const requests: JobSubmission[] = []
  for (const [index, span] of outline.elements.entries()) {
    try {
      requests.push({ ...(await readSubmissionAt(body, span, origin)), batchId: origin.batchId })
    } catch (error) {
      if (!(error instanceof RunyardError)) throw error
      throw new RunyardError(error.code, `requests[${index}]: ${error.message}`)
    }
    if (index % REQUESTS_A_TURN === REQUESTS_A_TURN - 1) await nextTurn()
  }
  return requests
}

/** @throws RunyardError('bad_request') */
export async function readName(body: Buffer): Promise<string> {
  const { name } = ((await parseBody(body)) ?? {}) as { readonly name?: unknown }
  if (typeof name === 'string' && name.trim() !== '' && name.length <= 200) return name.trim()
  throw new RunyardError('bad_request', '"name" must be a text of 1 to 200 characters')
}
