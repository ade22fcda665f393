// What callers put into a batch: bodies like those of `/run`, each checked as one (client-api §5.13, §6), how much a batch may be, and the error for a
// change that was refused.
import { RunyardError, type ErrorCode, type JobSubmission, type JsonOutline } from '@runyard/schema'
import { outlineBody, outlineSpan, parseBody } from '../http/json-body.ts'
import { nextTurn } from '../http/turns.ts'
import { readSubmissionAt, type Origin } from '../jobs/read-submission.ts'

export const LIMITS = {
  /** Batches of an endpoint that are drafts or have requests that have not ended. */
  active: 10,
  /** Jobs that wait in the endpoint's queue. */
  queued: 50_000,
  /** A draft lies in Redis whole, until its requests are jobs and large ones leave it. */
  draft: { requests: 5000, bytes: 64 * 1024 * 1024 },
} as const

const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  unknown: ['not_found', 'batch not found: it never existed or has expired'],
  unknown_request: ['not_found', 'this batch has no such request'],
  empty: ['bad_request', 'a batch without requests cannot be finalized'],
  too_many: ['bad_request', `a batch holds at most ${LIMITS.draft.requests} requests`],
  too_large: ['payload_too_large', `the requests of a batch may weigh ${LIMITS.draft.bytes} bytes together`],
  too_many_batches: ['too_many_requests', `an endpoint has at most ${LIMITS.active} active batches; finalize, cancel or await one`],
  queue_full: [
    'too_many_requests',
    `at most ${LIMITS.queued} requests, and no more than limits.queueJobs, may wait on an endpoint; finalize the batch later, or make it smaller`,
  ],
  FINALIZED: ['conflict', 'the batch is FINALIZED: only a DRAFT can be changed'],
  CANCELLED: ['conflict', 'the batch is CANCELLED'],
}
const RETRY_AFTER_S = 30

/** @throws RunyardError unless the change was made; `tooMany` says what there are too many of. */
export function checkChange(result: string, tooMany: keyof typeof REFUSALS = 'too_many'): void {
  if (result !== 'ok') throw refusalOf(result === 'too_many' ? tooMany : result)
}

export function refusalOf(reason: string): RunyardError {
  const [code, sentence] = REFUSALS[reason] ?? ['internal', `a batch was refused as "${reason}"`]
  return new RunyardError(code, sentence, code === 'too_many_requests' ? { retryAfterS: RETRY_AFTER_S, refusal: 'batches' } : {})
}

const REQUESTS: ReadonlySet<string> = new Set(['requests'])
/** Some milliseconds. */
const REQUESTS_A_TURN = 200
/** One more than a batch holds shows that there are too many. */
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
