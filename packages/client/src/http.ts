// Sends one request to a gateway, with the API key or a page's session. Every failure becomes one sentence with a code from the error catalogue. Also runs
// in browsers: it takes types from `@runyard/schema`, and from its functions only the errors.
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
  readonly signal?: AbortSignal
}

/** Of one target. */
export type Send = <T>(path: string, more?: RequestOptions) => Promise<T>

/** The JSON of a 2xx response, `undefined` if it has no body. @throws RunyardError */
export async function request<T>(target: AnyTarget, path: string, options: RequestOptions = {}): Promise<T> {
  return parseJson(await requestText(target, path, options)) as T
}

/** The body of a 2xx response. @throws RunyardError */
export async function requestText(target: AnyTarget, path: string, options: RequestOptions = {}): Promise<string> {
  const method = options.method ?? (options.body === undefined ? 'GET' : 'POST')
  const { ok, status, text } = await exchange(target, path, { ...options, method })
  if (!ok) throw new RunyardError(codeOf(status), `${method} ${path}: ${sentenceIn(parseJson(text)) ?? `status ${status}`}`)
  return text
}

async function exchange(target: AnyTarget, path: string, { method, body, signal }: RequestOptions) {
  const headers = new Headers(credentialsOf(target))
  const init: RequestInit = { method: method ?? 'GET', headers }
  if (signal !== undefined) init.signal = signal
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    headers.set('content-type', 'application/json')
  }
  try {
    const response = await fetch(`${target.url}${path}`, init)
    return { ok: response.ok, status: response.status, text: await response.text() }
  } catch (error) {
    if (signal?.aborted) throw error
    throw new RunyardError('store_unavailable', `Runyard at ${target.url} does not answer.`, { cause: error })
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
  const response = await fetch(`${target.url}${path}`, { headers, signal }).catch((error: unknown) => {
    if (signal.aborted) throw error
    throw new RunyardError('store_unavailable', `Runyard at ${target.url} does not answer.`, { cause: error })
  })
  if (!response.ok || response.body === null) {
    throw new RunyardError(
      codeOf(response.status),
      `GET ${path}: ${sentenceIn(parseJson(await response.text())) ?? `status ${response.status}`}`,
    )
  }
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { id, data } of events) yield { id, data: JSON.parse(data) }
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

/** The job plane uses `error`, REST v2 `detail` or `title`, others `message`. */
function sentenceIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const fields = body as Record<string, unknown>
  return ['error', 'detail', 'message', 'title'].map((name) => fields[name]).find((value): value is string => typeof value === 'string')
}

/** Without what is undefined. */
export function toQuery(values: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) parameters.set(name, `${value}`)
  return parameters.toString()
}
