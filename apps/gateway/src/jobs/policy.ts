// Reads the envelope of `/run` and `/runsync` (client-api §6): `input` verbatim, policy values clamped into their range, unknown keys
// ignored. Checked by hand because every job passes here.
import { randomUUID } from 'node:crypto'
import { clampMs, RunyardError, WEEK_MS, type JobPolicy, type JobSubmission, type Range } from '@runyard/schema'
import type { ApiKey } from '@runyard/store'
import { isFields, type Fields } from '../http/fields.ts'
import { parseWebhookUrl, type IsAllowed } from '../webhooks/target.ts'

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
}

/** @throws RunyardError('bad_request') when the body is no object, has no `input`, or a known key has a value of the wrong type. */
export function readSubmission(body: unknown, origin: Origin): JobSubmission {
  if (!isFields(body)) throw new RunyardError('bad_request', 'the request body must be a JSON object with the key "input"')
  const { input } = body
  if (input === undefined || input === null) throw new RunyardError('bad_request', 'the request body must have the key "input"')
  return {
    id: createJobId(origin.sync),
    input,
    sync: origin.sync,
    policy: readPolicy(body['policy']),
    keyId: origin.key.id,
    ...readWebhook(body['webhook'], origin),
    ...readS3Config(body['s3Config']),
  }
}

function readWebhook(url: unknown, { key, isAllowed }: Origin): Pick<JobSubmission, 'webhook'> {
  if (isAbsent(url) || url === '') return {}
  if (typeof url !== 'string') throw new RunyardError('bad_request', '"webhook" must be a URL as a string')
  parseWebhookUrl(url, isAllowed)
  return { webhook: { url, ownerId: key.ownerId } }
}

function readS3Config(s3Config: unknown): Pick<JobSubmission, 's3Config'> {
  if (isAbsent(s3Config)) return {}
  if (!isFields(s3Config)) throw new RunyardError('bad_request', '"s3Config" must be an object')
  return { s3Config }
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
