// Signs a webhook by the convention of standardwebhooks.com, for which receivers find libraries in most languages: HMAC-SHA256 over id, time
// and body under the owner's secret. The id is the same in every attempt, the time is the attempt's.
import { createHmac } from 'node:crypto'

const SECRET_PREFIX = 'whsec_'

export interface SignedPart {
  readonly id: string
  readonly at: number
  readonly body: string | Uint8Array
}

/** One signature per secret: while a secret is replaced, receivers may check with the old one or the new one. */
export function signWebhook({ id, at, body }: SignedPart, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
