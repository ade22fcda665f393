// One attempt to deliver a webhook: body, signature, POST, judgement, and the line that records the outcome. The body is the `/status` object with
// `input` and `webhook` (client-api §7). An event older than `webhooks.maxAgeS`, for example after an outage, is given up without a request, unless its
// owner asked for it. The signature follows standardwebhooks.com, for which receivers find libraries in most languages: HMAC-SHA256 over id, time and
// body under the owner's secret. The id is the same in every attempt, the time is the attempt's.
import { createHmac } from 'node:crypto'
import type { Logger } from '@runyard/kit'
import { isTooLate, judgeWebhook } from '@runyard/core'
import { errorMessage, NOTICE_OUTBOX, type Config, type WebhookAttempt, type WebhookOutcome } from '@runyard/schema'
import { withMembers } from '@runyard/schema/json-join'
import type { ClaimedWebhook, Store } from '@runyard/store'
import type { EndpointCache } from '../parts/endpoint-cache.ts'
import { toJobBody } from '../parts/job-body.ts'
import type { Traces } from '../parts/traces.ts'
import type { GatewayMetrics } from '../parts/metrics.ts'
import { retryWhileAway } from '../parts/store-outage.ts'
import { sendWebhook, unlessAborted, type SendResult } from './send.ts'
import type { Resolve } from './name-lookup.ts'
import { allowedAddresses, withoutSecrets } from './target.ts'

export interface DeliveryDeps {
  readonly store: Pick<Store, 'webhooks'>
  readonly endpoints: Pick<EndpointCache, 'get'>
  readonly config: Pick<Config, 'webhooks'>
  readonly metrics: Pick<GatewayMetrics, 'webhookAttempt'>
  readonly traces: Pick<Traces, 'handOn' | 'webhookSent'>
  readonly log: Logger
  readonly resolve: Resolve
  readonly closing: AbortSignal
}

/** Throws if the outcome cannot be written; the event is delivered again then. */
export function createDelivery(deps: DeliveryDeps): (event: ClaimedWebhook) => Promise<void> {
  return async (event) => {
    const attempt = await makeAttempt(deps, event)
    const isOurs = await retryWhileAway(() => deps.store.webhooks.finish(event, attempt), deps.closing)
    deps.metrics.webhookAttempt(attempt.outcome, attempt.durationMs)
    if (event.endpointId !== NOTICE_OUTBOX) deps.traces.webhookSent({ id: event.jobId, traceparent: event.traceparent }, attempt)
    // A path may be as secret as a password: the log names the receiver only.
    const line = { endpointId: event.endpointId, receiver: event.lane, ...attempt, url: undefined, ...(isOurs ? {} : { leaseLost: true }) }
    if (attempt.outcome === 'given_up' || attempt.outcome === 'refused') deps.log.warn(line, 'webhook attempt')
    else deps.log.info(line, 'webhook attempt')
  }
}

async function makeAttempt(deps: DeliveryDeps, event: ClaimedWebhook): Promise<WebhookAttempt> {
  const { eventId, attempt, jobId, endedAt, webhook, isAskedFor } = event
  const { maxAgeS, retryDelaysS } = deps.config.webhooks
  const at = Date.now()
  const facts = { eventId, jobId, url: withoutSecrets(new URL(webhook.url)), attempt, at }
  const policy = { retryDelaysMs: retryDelaysS.map((s) => s * 1000), maxAgeMs: maxAgeS * 1000 }
  if (!isAskedFor && isTooLate({ endedAt, now: at }, policy)) {
    const error = `nothing was sent: the job ended at ${new Date(endedAt).toISOString()}, longer ago than webhooks.maxAgeS (${maxAgeS} s)`
    return { ...facts, durationMs: 0, outcome: 'given_up', error }
  }
  const result = await post(deps, event, at)
  const now = Date.now()
  const judgement = judgeWebhook(result, { attempts: attempt, endedAt, now }, policy)
  return { ...facts, durationMs: now - at, ...judgement, ...describe(result, judgement.outcome) }
}

/** All of it within the time of one attempt, or the lease would end first: then the attempt is lost, also if a store of this gateway was slow. */
async function post(deps: DeliveryDeps, event: ClaimedWebhook, at: number): Promise<SendResult> {
  const { timeoutS } = deps.config.webhooks
  const signal = AbortSignal.timeout(timeoutS * 1000)
  const isAllowed = allowedAddresses(deps.config.webhooks)
  const resolve: Resolve = (hostname) => deps.resolve(hostname, event.webhook.ownerId)
  try {
    const { body, headers } = await unlessAborted(write(deps, event, at), signal)
    return await sendWebhook({ url: new URL(event.webhook.url), headers, body }, { isAllowed, resolve, signal })
  } catch (error) {
    return { kind: 'failed', error: `the job could not be read: ${errorMessage(error)}` }
  }
}

async function write({ store, endpoints, traces }: DeliveryDeps, event: ClaimedWebhook, at: number) {
  const [{ record, input }, endpoint, secrets] = await Promise.all([
    event.read(),
    endpoints.get(event.endpointId),
    store.webhooks.secrets(event.webhook.ownerId),
  ])
  const { output, ...fields } = toJobBody(record, endpoint)
  // A notice to the operator is not about a job: its text is the body (ADR 83).
  const isNotice = event.endpointId === NOTICE_OUTBOX && input !== undefined
  const body = isNotice ? Buffer.from(input) : withMembers({ ...fields, webhook: event.webhook.url }, { input, output })
  const signature = signWebhook({ id: event.eventId, at, body }, secrets)
  const traceparent = isNotice ? undefined : traces.handOn({ id: event.jobId, traceparent: event.traceparent })
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Runyard',
      ...signature,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  }
}

/** The resolved address is not exposed; internal DNS must not leak to API users. */
function describe(result: SendResult, outcome: WebhookOutcome): Pick<WebhookAttempt, 'httpStatus' | 'error'> {
  if (result.kind === 'failed') return { error: result.error }
  if (result.kind === 'refused') {
    return {
      error:
        'the receiver’s name stands for a private address; the setting webhooks.allowPrivate permits those, but never a metadata service',
    }
  }
  const { status: httpStatus } = result
  if (outcome === 'delivered') return { httpStatus }
  const hint = httpStatus >= 300 && httpStatus <= 399 ? '; redirects are not followed' : ''
  return { httpStatus, error: `the receiver answered ${httpStatus}${hint}` }
}

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
