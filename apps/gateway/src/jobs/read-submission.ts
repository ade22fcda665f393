// Reads what `/run` and `/runsync` get: the envelope (client-api §6) with `input` verbatim, policy values clamped into their range and unknown keys
// ignored, and the `Idempotency-Key`. The envelope is checked by hand because every job passes here.
import { createHash, randomUUID } from 'node:crypto'
import {
  clampMs,
  RunyardError,
  TRACEPARENT,
  WEEK_MS,
  type JobPolicy,
  type JobSubmission,
  type JsonOutline,
  type Range,
  type Span,
} from '@runyard/schema'
import type { ApiKey } from '@runyard/store'
import type { FastifyRequest } from 'fastify'
import { cut, isFields, outlineBody, outlineSpan, parseMember, type Fields } from '../http/json-body.ts'
import { parseWebhookUrl, type IsAllowed } from '../webhooks/target.ts'
import { apiKeyOf } from '../http/authenticate.ts'

const EXECUTION_TIMEOUT_MS = { min: 5000, max: WEEK_MS }
const TTL_MS = { min: 10_000, max: WEEK_MS }

/** `<uuid>-u1`, with `sync-` for `/runsync` (client-api §4.2). */
export function createJobId(sync: boolean): string {
  return `${sync ? 'sync-' : ''}${randomUUID()}-u1`
}

export interface Origin {
  /** By `/runsync`. */
  readonly sync: boolean
  readonly key: Pick<ApiKey, 'id' | 'ownerId'>
  /** Where webhooks may go. */
  readonly isAllowed: IsAllowed
  /** The header of that name; what is no Trace Context is ignored. */
  readonly traceparent?: string | readonly string[] | undefined
}

const ENVELOPE: ReadonlySet<string> = new Set(['input', 'policy', 'webhook', 's3Config'])

/** @throws RunyardError('bad_request') when the body is no object, has no `input`, or a known key has a value of the wrong type. */
export async function readSubmission(body: Buffer, origin: Origin): Promise<JobSubmission> {
  const outline = outlineBody(body, { members: ENVELOPE })
  return toSubmission(body, outline instanceof Promise ? await outline : outline, origin)
}

/** Of one of several in a body that was outlined before. */
export async function readSubmissionAt(body: Buffer, span: Span, origin: Origin): Promise<JobSubmission> {
  return toSubmission(body, await outlineSpan(body, span, { members: ENVELOPE }), origin)
}

function toSubmission(body: Buffer, { kind, members }: JsonOutline, origin: Origin): JobSubmission {
  if (kind !== 'object') throw new RunyardError('bad_request', 'the request body must be a JSON object with the key "input"')
  const input = members.get('input')
  if (input === undefined || isNull(body, input)) throw new RunyardError('bad_request', 'the request body must have the key "input"')
  return {
    id: createJobId(origin.sync),
    input: cut(body, input),
    sync: origin.sync,
    policy: readPolicy(parseMember(body, members.get('policy'), 'policy')),
    keyId: origin.key.id,
    ...readWebhook(parseMember(body, members.get('webhook'), 'webhook'), origin),
    ...readS3Config(body, members.get('s3Config')),
    ...readTraceparent(origin),
  }
}

export function readTraceparent({ traceparent }: Pick<Origin, 'traceparent'>): Pick<JobSubmission, 'traceparent'> {
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}
}

function readWebhook(url: unknown, { key, isAllowed }: Origin): Pick<JobSubmission, 'webhook'> {
  if (isAbsent(url) || url === '') return {}
  if (typeof url !== 'string') throw new RunyardError('bad_request', '"webhook" must be a URL as a string')
  parseWebhookUrl(url, isAllowed)
  return { webhook: { url, ownerId: key.ownerId } }
}

function readS3Config(body: Buffer, span: Span | undefined): Pick<JobSubmission, 's3Config'> {
  if (span === undefined || isNull(body, span)) return {}
  if (!isFields(parseMember(body, span, 's3Config'))) throw new RunyardError('bad_request', '"s3Config" must be an object')
  return { s3Config: cut(body, span) }
}

function isNull(body: Buffer, { from, to }: Span): boolean {
  return to - from === 4 && body.toString('latin1', from, to) === 'null'
}

function readPolicy(policy: unknown): JobPolicy {
  if (isAbsent(policy)) return {}
  if (!isFields(policy)) throw new RunyardError('bad_request', '"policy" must be an object')
  const executionTimeoutMs = readMs(policy, 'executionTimeout', EXECUTION_TIMEOUT_MS)
  const ttlMs = readMs(policy, 'ttl', TTL_MS)
  const { lowPriority } = policy
  if (!isAbsent(lowPriority) && typeof lowPriority !== 'boolean') {
    throw new RunyardError('bad_request', '"policy.lowPriority" must be true or false')
  }
  return {
    ...(executionTimeoutMs === undefined ? {} : { executionTimeoutMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(lowPriority === true ? { lowPriority } : {}),
  }
}

/** Zero and below mean "not given": Go's SDK sends zero values. */
function readMs(policy: Fields, key: string, range: Range): number | undefined {
  const value = policy[key]
  if (isAbsent(value)) return undefined
  if (typeof value !== 'number') {
    throw new RunyardError('bad_request', `"policy.${key}" must be a number of milliseconds`)
  }
  return value <= 0 ? undefined : clampMs(value, range)
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

const LONGEST_KEY = 255

/**
 * `Idempotency-Key`, beyond Runpod: a request that is sent again names the job that it made the first time (after
 * draft-ietf-httpapi-idempotency-key-header). Keys belong to an owner and an endpoint; only hashes are stored. Undefined without a key.
 * @throws RunyardError('bad_request')
 */
export function readIdempotency(request: FastifyRequest, submission: JobSubmission): { key: string; fingerprint: string } | undefined {
  const given = request.headers['idempotency-key']
  if (given === undefined) return undefined
  if (typeof given !== 'string' || given === '' || given.length > LONGEST_KEY) {
    throw new RunyardError('bad_request', `"Idempotency-Key" must be one text of 1 to ${LONGEST_KEY} characters`)
  }
  const { input, sync, policy, webhook, s3Config } = submission
  return {
    key: hash(JSON.stringify([apiKeyOf(request).ownerId, given])),
    fingerprint: hash(JSON.stringify([sync, policy, webhook]), s3Config ?? '', '\n', input),
  }
}

/** No text that is followed by another can end in the middle of a JSON value, so no two requests are the same here. */
function hash(...texts: readonly (string | Uint8Array)[]): string {
  const sum = createHash('sha256')
  for (const text of texts) sum.update(text)
  return sum.digest('base64url')
}
