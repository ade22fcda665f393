// Sends spans of jobs to an OTLP receiver (https://opentelemetry.io/docs/specs/otlp/, JSON over HTTP), where `traces.endpoint` names one. Spans are collected
// in memory and sent in batches. Failure direction: a receiver that is away costs spans and nothing else.
import { type Logger, sentenceOf } from '@runyard/kit'
import type { Config } from '@runyard/schema'
import { contextOf, idOf, jobSpans, toTraceparent, type Span, type TracedEnd } from './job-spans.ts'
import type { Store } from '@runyard/store'

export interface Traces extends AsyncDisposable {
  /** False: `traces.endpoint` is not set. */
  readonly isOn: boolean
  /** A job of this process has ended. */
  jobEnded(endpoint: { readonly id: string; readonly name: string | undefined }, end: TracedEnd): void
  /** An attempt to deliver a job's webhook. */
  webhookSent(
    job: TracedJob,
    attempt: { readonly attempt: number; readonly at: number; readonly durationMs: number; readonly outcome: string },
  ): void
  /** What the worker and the webhook are given as their parent: the span of the job; where no spans are sent, that of the caller. */
  handOn(job: TracedJob): string | undefined
}

export interface TracedJob {
  readonly id: string
  readonly traceparent: string | undefined
}

const SEND_EVERY_MS = 2000
const MOST_PER_REQUEST = 512
/** Some kilobytes each; beyond it the newest are dropped. */
const MOST_WAITING = 8192
const TIMEOUT_MS = 10_000
const WARN_EVERY_MS = 60_000

const OFF: Traces = {
  isOn: false,
  jobEnded: () => undefined,
  webhookSent: () => undefined,
  handOn: ({ traceparent }) => traceparent,
  [Symbol.asyncDispose]: async () => undefined,
}

export function openTraces({ config, log }: { readonly config: Pick<Config, 'traces'>; readonly log: Pick<Logger, 'warn'> }): Traces {
  const { endpoint, headers } = config.traces
  if (endpoint === undefined) return OFF
  const sender = openSender(`${endpoint.replace(/\/+$/u, '')}/v1/traces`, headers, log)
  return {
    isOn: true,
    jobEnded: (of, end) => sender.add(jobSpans(of, end)),
    webhookSent(job, { attempt, at, durationMs, outcome }) {
      const { traceId, spanId: parentSpanId } = contextOf(job.id, job.traceparent)
      const attributes = { 'runyard.job.id': job.id, 'runyard.webhook.outcome': outcome, 'runyard.webhook.attempt': attempt }
      const span = {
        traceId,
        spanId: idOf(16, 'webhook', attempt, job.id),
        parentSpanId,
        name: 'webhook',
        from: at,
        to: at + durationMs,
        attributes,
      }
      sender.add([outcome === 'delivered' ? span : { ...span, error: outcome }])
    },
    handOn: ({ id, traceparent }) => toTraceparent(contextOf(id, traceparent)),
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  }
}

function openSender(url: string, headers: Readonly<Record<string, string>>, log: Pick<Logger, 'warn'>) {
  const waiting: Span[] = []
  let dropped = 0
  let warnedAt = 0
  let sending: Promise<void> = Promise.resolve()

  function lose(spans: readonly Span[], problem: string): void {
    dropped += spans.length
    if (Date.now() - warnedAt < WARN_EVERY_MS) return
    warnedAt = Date.now()
    log.warn({ problem, dropped }, 'spans of jobs were not accepted by traces.endpoint and are lost')
    dropped = 0
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const spans = waiting.splice(0, MOST_PER_REQUEST)
      const problem = await post(url, headers, spans).catch(sentenceOf)
      if (problem !== undefined) lose(spans, problem)
    }
  }

  const flush = (): Promise<void> => (sending = sending.then(sendAll))
  const timer = setInterval(() => void flush(), SEND_EVERY_MS).unref()
  return {
    add(spans: readonly Span[]) {
      if (waiting.length + spans.length > MOST_WAITING) lose(spans, `more than ${MOST_WAITING} spans wait for the receiver`)
      else waiting.push(...spans)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await flush()
    },
  }
}

/** Undefined: they were accepted. */
async function post(url: string, headers: Readonly<Record<string, string>>, spans: readonly Span[]): Promise<string | undefined> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(toOtlp(spans)),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await answer.body?.cancel()
  return answer.ok ? undefined : `the receiver answered ${answer.status}`
}

const INTERNAL = 1
const FAILED = 2

function toOtlp(spans: readonly Span[]) {
  return {
    resourceSpans: [
      {
        resource: { attributes: toAttributes({ 'service.name': 'runyard' }) },
        scopeSpans: [{ scope: { name: 'runyard' }, spans: spans.map(toSpan) }],
      },
    ],
  }
}

function toSpan({ traceId, spanId, parentSpanId, name, from, to, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: INTERNAL,
    startTimeUnixNano: nanoseconds(from),
    endTimeUnixNano: nanoseconds(to),
    attributes: toAttributes(attributes),
    ...(error === undefined ? {} : { status: { code: FAILED, message: error } }),
  }
}

const nanoseconds = (ms: number): string => `${Math.round(ms)}000000`

function toAttributes(attributes: Span['attributes']) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }],
  )
}

const LOOK_EVERY_MS = 2000

interface HandedEndDeps {
  readonly store: Pick<Store, 'tracedEnds'>
  readonly traces: Pick<Traces, 'isOn' | 'jobEnded'>
  readonly log: Pick<Logger, 'warn'>
}

/**
 * Sends the spans of jobs that the scaler has ended: it has no exporter, and hands such ends to whichever gateway takes them first. Does nothing
 * where no spans are sent.
 */
export function followHandedEnds({ store, traces, log }: HandedEndDeps): AsyncDisposable {
  let looking = Promise.resolve()
  const look = async (): Promise<void> => {
    try {
      for (const { endpoint, end, traceparent } of await store.tracedEnds.take())
        traces.jobEnded({ id: endpoint.id, name: endpoint.name }, { ...end, traceparent })
    } catch (error) {
      log.warn({ err: error }, 'spans of jobs that the scaler ended wait for the next look')
    }
  }
  const lookAgain = (): void => {
    looking = looking.then(look)
  }
  const timer = traces.isOn ? setInterval(lookAgain, LOOK_EVERY_MS).unref() : undefined
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}
