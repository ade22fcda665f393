// Reads the envelope of `/run` and `/runsync` (client-api §6): `input` verbatim, policy values clamped into their range, unknown keys
// ignored. Checked by hand because every job passes here.
import { randomUUID } from 'node:crypto'
import { RunyardError, type JobPolicy, type JobSubmission } from '@runyard/schema'

const WEEK_MS = 604_800_000
const EXECUTION_TIMEOUT_MS = { min: 5000, max: WEEK_MS }
const TTL_MS = { min: 10_000, max: WEEK_MS }

type Fields = Readonly<Record<string, unknown>>

/** `<uuid>-u1`, with `sync-` for `/runsync` (client-api §4.2). */
export function createJobId(sync: boolean): string {
  return `${sync ? 'sync-' : ''}${randomUUID()}-u1`
}

/** @throws RunyardError('bad_request') when the body is no object or has no `input`. */
export function readSubmission(body: unknown, origin: { sync: boolean; keyId: string }): JobSubmission {
  if (!isFields(body)) throw new RunyardError('bad_request', 'the request body must be a JSON object with the key "input"')
  const { input, webhook, s3Config } = body
  if (input === undefined || input === null) throw new RunyardError('bad_request', 'the request body must have the key "input"')
  return {
    id: createJobId(origin.sync),
    input,
    sync: origin.sync,
    policy: readPolicy(body['policy']),
    keyId: origin.keyId,
    ...(typeof webhook === 'string' && webhook !== '' ? { webhook } : {}),
    ...(isFields(s3Config) ? { s3Config } : {}),
  }
}

function readPolicy(policy: unknown): JobPolicy {
  if (!isFields(policy)) return {}
  const executionTimeoutMs = clamp(policy['executionTimeout'], EXECUTION_TIMEOUT_MS)
  const ttlMs = clamp(policy['ttl'], TTL_MS)
  return {
    ...(executionTimeoutMs === undefined ? {} : { executionTimeoutMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(policy['lowPriority'] === true ? { lowPriority: true } : {}),
  }
}

/** Zero and below mean "not given": Go's SDK sends zero values. */
function clamp(value: unknown, range: { min: number; max: number }): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return undefined
  return Math.min(range.max, Math.max(range.min, Math.round(value)))
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
