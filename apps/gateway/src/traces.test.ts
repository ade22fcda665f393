// Spans of jobs, sent to an OTLP receiver, and the trace that is handed on to the worker and to the webhook.
import { startReceiver, type Receiver } from '@runyard/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { contextOf, toTraceparent } from './parts/job-spans.ts'
import type { TestGateway, TestWorker } from './testing/gateway.ts'
import { useGateways } from './testing/use-gateway.ts'

const WAIT = { timeout: 20_000 }
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`

let otlp: Receiver
let hook: Receiver
let traced: TestGateway
let plain: TestGateway
const scope = new AsyncDisposableStack()
afterAll(() => scope.disposeAsync())
const startGateway = useGateways()
beforeAll(async () => {
  otlp = scope.use(await startReceiver())
  hook = scope.use(await startReceiver())
  const webhooks = { allowPrivate: true }
  traced = await startGateway({ webhooks, traces: { endpoint: `http://127.0.0.1:${otlp.port}/`, headers: { 'x-token': 't' } } })
  plain = await startGateway({ webhooks })
})

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code: number; readonly message: string }
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, string> }[]
}
interface OtlpBody {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[]
}

const spansOf = (traceId: string): readonly OtlpSpan[] =>
  otlp.received
    .flatMap(({ json }) => (json as unknown as OtlpBody).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .filter((span) => span.traceId === traceId)

async function submit(gateway: TestGateway, ep: string, headers: Record<string, string> = {}): Promise<string> {
  const { json } = await gateway.call(`/v2/${ep}/run`, { method: 'POST', headers, body: { input: 'a secret', webhook: hook.url } })
  return String(json['id'])
}

async function takeRaw(worker: TestWorker): Promise<Record<string, unknown>> {
  return (await worker.send(`/v2/${worker.record.endpointId}/job-take/${worker.id}?gpu=none&job_in_progress=0`)).json
}

const hookOf = (id: string) => hook.received.find(({ json }) => json['id'] === id)

it('a job is a span below that of its caller, with its wait, its attempt, its function and its webhook; never its input', async () => {
  const { id: ep } = await traced.addEndpoint({ name: 'caption' })
  const createdAt = Date.now() - 2000
  const id = await submit(traced, ep, { traceparent: CALLER })
  const worker = await traced.addWorker(ep, { createdAt, containerStartedAt: createdAt + 500 })
  const context = contextOf(id, CALLER)
  expect(await takeRaw(worker)).toMatchObject({ id, traceparent: toTraceparent(context) })
  const enteredAt = Date.now()
  const timings = JSON.stringify({ enteredAt, returnedAt: enteredAt + 1 })
  await worker.done(id, { error: 'it broke' }, { 'x-runyard-timings': timings })
  await expect
    .poll(
      () =>
        spansOf(TRACE)
          .map(({ name }) => name)
          .toSorted(),
      WAIT,
    )
    .toEqual(expect.arrayContaining(['attempt 1', 'function', 'job', 'queue', 'result', 'webhook', 'worker start']))
  const spans = new Map(spansOf(TRACE).map((span) => [span.name, span]))
  const job = spans.get('job')
  expect(job).toMatchObject({ spanId: context.spanId, parentSpanId: '00f067aa0ba902b7', status: { code: 2, message: 'FAILED' } })
  expect(job?.attributes).toContainEqual({ key: 'runyard.endpoint', value: { stringValue: 'caption' } })
  const parentOf = (name: string) => [...spans.values()].find(({ spanId }) => spanId === spans.get(name)?.parentSpanId)?.name
  expect(['queue', 'attempt 1', 'webhook', 'function', 'result', 'worker start', 'container'].map(parentOf)).toEqual([
    'job',
    'job',
    'job',
    'attempt 1',
    'attempt 1',
    'queue',
    'worker start',
  ])
  for (const { startTimeUnixNano, endTimeUnixNano } of spans.values())
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
  expect(otlp.received[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-token': 't' } })
  expect(otlp.received.map(({ body }) => body).join('')).not.toContain('secret')
  expect(hookOf(id)?.headers['traceparent']).toBe(toTraceparent(context))
})

it('a job without a caller’s trace is one of its own, also if it is cancelled while it waits', async () => {
  const { id: ep } = await traced.addEndpoint()
  const id = await submit(traced, ep, { traceparent: '00-nonsense' })
  await traced.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' })
  const { traceId } = contextOf(id, undefined)
  await expect
    .poll(
      () =>
        spansOf(traceId)
          .map(({ name }) => name)
          .toSorted(),
      WAIT,
    )
    .toEqual(['job', 'queue', 'webhook'])
  expect(spansOf(traceId).find(({ name }) => name === 'job')).not.toHaveProperty('parentSpanId')
})

const idOfTrace = (number: number) => `${number}bf92f3577b34da6a3ce929d0e0e4736`
const callerOf = (number: number) => ({ traceparent: `00-${idOfTrace(number)}-00f067aa0ba902b7-01` })
const namesIn = (number: number) => new Set(spansOf(idOfTrace(number)).map(({ name }) => name))

it('a cancelled job, one of a batch and one of an OpenAI client are below the span of their caller', async () => {
  const { id: ep } = await traced.addEndpoint()
  const cancelled = await submit(traced, ep, callerOf(5))
  await traced.call(`/v2/${ep}/cancel/${cancelled}`, { method: 'POST' })
  const worker = await traced.addWorker(ep)
  const asked = traced.call(`/v2/${ep}/openai/v1/models`, { headers: callerOf(6) })
  const models = await worker.take()
  await worker.done(String(models?.['id']), { output: [{ data: [] }] })
  await asked
  const { json } = await traced.call(`/v2/${ep}/batch`, { method: 'POST', headers: callerOf(7), body: [{ input: 1 }] })
  await traced.call(`/v2/${ep}/batch/${String(json['id'])}/finalize`, { method: 'POST' })
  const batched = await worker.take()
  await worker.done(String(batched?.['id']), { output: 1 })
  await expect.poll(() => [5, 6, 7].map((number) => namesIn(number).has('job')), WAIT).toEqual([true, true, true])
})

it('jobs of a purged queue and of a deleted endpoint are below the spans of their callers', async () => {
  const { id: ep } = await traced.addEndpoint()
  const purged = await submit(traced, ep, callerOf(2))
  await traced.call(`/v2/${ep}/purge-queue`, { method: 'POST' })
  await submit(traced, ep, callerOf(3))
  await traced.call(`/v2/serverless/${ep}`, { method: 'DELETE' })
  await expect.poll(() => [2, 3].map((number) => namesIn(number).has('job')), WAIT).toEqual([true, true])
  const causes = [2, 3].map((number) =>
    spansOf(idOfTrace(number)).flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'runyard.job.cause')),
  )
  expect(causes).toMatchObject([[{ value: { stringValue: 'purged' } }], [{ value: { stringValue: 'endpoint_deleted' } }]])
  expect(spansOf(idOfTrace(2)).find(({ name }) => name === 'job')).toMatchObject({ spanId: contextOf(purged, undefined).spanId })
})

it('a job that the scaler has ended has its spans, too', async () => {
  const { id: ep } = await traced.addEndpoint({ name: 'slow' })
  const job = {
    id: 'overdue-1',
    status: 'FAILED',
    submittedAt: 1000,
    startedAt: 2000,
    settledAt: 9000,
    retries: 1,
    workerId: 'w1',
  } as const
  const end = { cause: 'execution_timeout', job } as const
  await traced.store.tracedEnds.hand([{ endpoint: { id: ep, name: 'slow' }, end, ...callerOf(8) }])
  await expect.poll(() => namesIn(8), WAIT).toEqual(new Set(['job', 'queue', 'attempt 2']))
  expect(await traced.store.tracedEnds.take()).toEqual([])
})

it('where no spans are sent, the caller’s trace is handed on as it is, and nothing where there is none', async () => {
  const { id: ep } = await plain.addEndpoint()
  const worker = await plain.addWorker(ep)
  const [one, two] = [await submit(plain, ep, { traceparent: CALLER }), await submit(plain, ep)]
  expect(await takeRaw(worker)).toMatchObject({ id: one, traceparent: CALLER })
  expect(await takeRaw(worker)).toEqual({ id: two, input: 'a secret' })
  for (const id of [one, two]) await worker.done(id, { output: 1 })
  await expect.poll(() => [one, two].map((id) => hookOf(id) !== undefined), WAIT).toEqual([true, true])
  expect([one, two].map((id) => hookOf(id)?.headers['traceparent'])).toEqual([CALLER, undefined])
})

it('a receiver that refuses costs spans and nothing else', async () => {
  const { id: ep } = await traced.addEndpoint()
  const worker = await traced.addWorker(ep)
  const before = otlp.received.length
  otlp.answer = (response) => void response.writeHead(500).end('no')
  const id = await submit(traced, ep)
  await worker.take()
  await worker.done(id, { output: 1 })
  await expect.poll(() => otlp.received.length, WAIT).toBeGreaterThan(before)
  otlp.answer = (response) => void response.writeHead(200).end('{}')
  expect(await traced.statusOf(ep, id)).toMatchObject({ status: 'COMPLETED', output: 1 })
})
