// `Idempotency-Key` on `/run` and `/runsync`, beyond Runpod: a request that is sent again names the job that it made the first time
// (after draft-ietf-httpapi-idempotency-key-header). Keys belong to an owner and an endpoint; only hashes are stored.
import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { RunyardError, type JobSubmission } from '@runyard/schema'
import { apiKeyOf } from '../http/authenticate.ts'

const LONGEST_KEY = 255

/** Undefined where the request bears no key. @throws RunyardError('bad_request') */
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
