// Sends one request to a gateway, with the API key or a page's session. Every failure becomes one sentence with a code from the error catalogue. Also runs
// in browsers: it takes types from `@runyard/schema`, and from its functions only the errors.
import type { EventSourceMessage } from 'eventsource-parser'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { ERROR_CODES, RunyardError, type ErrorCode } from '@runyard/schema/errors'

export interface Target {
  /** The public listener, without a trailing slash. */
  readonly url: string
  readonly key: string
}

/** Of a page of the gateway, whose session is in its cookie. */
export interface PageTarget {
  readonly url: string
  readonly key?: never
}

export type AnyTarget = Target | PageTarget

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  /** JSON as its author wrote it, in place of `body`. */
  readonly text?: string
  /** The same key names one job, however often the request is sent. */
  readonly idempotencyKey?: string
  /** Refused where there is one already. */
  readonly isNew?: boolean
  readonly signal?: AbortSignal
  /** Gets the headers of each answer, also of a refusal. */
  readonly onAnswer?: (headers: Headers) => void
}

/** Of one target. */
export type Send = <T>(path: string, more?: RequestOptions) => Promise<T>

/** The JSON of a 2xx response, `undefined` if it has no body. @throws RunyardError */
export async function request<T>(target: AnyTarget, path: string, options: RequestOptions = {}): Promise<T> {
  return parseJson(await requestText(target, path, options)) as T
}

/** The body of a 2xx response. @throws RunyardError */
export async function requestText(target: AnyTarget, path: string, options: RequestOptions = {}): Promise<string> {
  const method = options.method ?? (options.body === undefined && options.text === undefined ? 'GET' : 'POST')
  const { ok, status, headers, text } = await exchange(target, path, { ...options, method })
  options.onAnswer?.(headers)
  if (!ok) throw refusalOf({ status, text }, `${method} ${path}`)
  return text
}

async function exchange(target: AnyTarget, path: string, { method, body, text, signal, ...more }: RequestOptions) {
  const headers = new Headers({ ...credentialsOf(target), ...headersOf(more) })
  const init: RequestInit = { method: method ?? 'GET', headers }
  if (signal !== undefined) init.signal = signal
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
  if (sent !== undefined) {
    init.body = sent
    headers.set('content-type', 'application/json')
  }
  try {
    const response = await fetch(`${target.url}${path}`, init)
    return { ok: response.ok, status: response.status, headers: response.headers, text: await response.text() }
  } catch (error) {
    if (signal?.aborted) throw error
    throw new RunyardError('store_unavailable', `Runyard at ${target.url} does not answer.`, { cause: error })
  }
}

function headersOf({ idempotencyKey, isNew }: Pick<RequestOptions, 'idempotencyKey' | 'isNew'>): Record<string, string> {
  return {
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...(isNew === true && { 'if-none-match': '*' }),
  }
}

/** With a cookie, the gateway wants a header that no form and no other origin can send. */
function credentialsOf({ key }: AnyTarget): Record<string, string> {
  return key === undefined ? { 'x-runyard': '1' } : { authorization: `Bearer ${key}` }
}

/** The JSON of each server-sent event, with its id, until the stream ends. @throws RunyardError */
export async function* followEvents(
  target: AnyTarget,
  path: string,
  { after, signal }: { readonly after?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<{ readonly id: string | undefined; readonly data: unknown }> {
  const headers = new Headers({ ...credentialsOf(target), accept: 'text/event-stream' })
  if (after !== undefined) headers.set('last-event-id', after)
  for await (const { id, data } of eventsOf(await open(target, path, { headers, signal }))) yield { id, data: JSON.parse(data) }
}

export interface OpenaiAnswer {
  /** Undefined: the answer does not name it. */
  readonly jobId: string | undefined
  readonly data: unknown
}

/** Posts to an OpenAI route: its answer, or each event of an answer that streams. @throws RunyardError */
export async function* callOpenai(
  target: AnyTarget,
  path: string,
  { text, signal }: { readonly text: string; readonly signal: AbortSignal },
): AsyncGenerator<OpenaiAnswer> {
  const headers = new Headers({ ...credentialsOf(target), 'content-type': 'application/json' })
  const response = await open(target, path, { method: 'POST', headers, body: text, signal })
  const jobId = response.headers.get('x-request-id') ?? undefined
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    yield { jobId, data: parseJson(await response.text()) }
    return
  }
  for await (const { data } of eventsOf(response)) if (data !== '[DONE]') yield { jobId, data: parseJson(data) }
}

/** @throws RunyardError where the response is no success. */
async function open(target: AnyTarget, path: string, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
  const response = await fetch(`${target.url}${path}`, init).catch((error: unknown) => {
    if (init.signal.aborted) throw error
    throw new RunyardError('store_unavailable', `Runyard at ${target.url} does not answer.`, { cause: error })
  })
  if (response.ok) return response
  throw refusalOf({ status: response.status, text: await response.text() }, `${init.method ?? 'GET'} ${path}`)
}

async function* eventsOf({ body }: Response): AsyncGenerator<EventSourceMessage> {
  if (body !== null) yield* body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function codeOf(status: number): ErrorCode {
  const found = (Object.keys(ERROR_CODES) as ErrorCode[]).find((code) => ERROR_CODES[code] === status)
  return found ?? (status >= 500 ? 'internal' : 'bad_request')
}

/** The server's sentence says enough; without one, e.g. from a proxy, the request that was refused does. */
function refusalOf({ status, text }: { readonly status: number; readonly text: string }, asked: string): RunyardError {
  const body = parseJson(text)
  return new RunyardError(codeOf(status), sentenceIn(body) ?? `${asked}: status ${status}`, { issues: issuesIn(body) })
}

/** Of REST v2. */
function issuesIn(body: unknown): readonly string[] {
  const { errors } = (typeof body === 'object' && body !== null ? body : {}) as { readonly errors?: unknown }
  return Array.isArray(errors) ? errors.filter((issue) => typeof issue === 'string') : []
}

/** The job plane uses `error`, REST v2 `detail` or `title`, OpenAI routes `error.message`, others `message`. */
function sentenceIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const fields = body as Record<string, unknown>
  if (typeof fields['error'] === 'object') return sentenceIn(fields['error'])
  return ['error', 'detail', 'message', 'title'].map((name) => fields[name]).find((value): value is string => typeof value === 'string')
}

/** Without what is undefined. */
export function toQuery(values: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) parameters.set(name, `${value}`)
  return parameters.toString()
}
