// How a failed request is reported to an OpenAI client: an HTTP status and the body that it reads, `{ error: { message, type, code, param } }`
// (client-api §5.12, worker-api §14.3). Workers report failures in four forms: an object with `error`, a flat one with `object: "error"`, the first as
// Python prints it, and plain text. The HTTP status and error object of the server inside are extracted if they are there.
import { ERROR_CODES, type JobRecord } from '@runyard/schema'
import type { Dialect } from '../http/errors.ts'
import { isFields, type Fields } from '../http/json-body.ts'
import { errorOf } from '../parts/job-body.ts'
import type { FollowEnd } from './follow.ts'

export interface OpenaiError {
  readonly message: string
  readonly type: string
  readonly code: string | number | null
  readonly param: string | null
}

export interface Failure {
  readonly httpStatus: number
  readonly error: OpenaiError
  /** False forbids the client's automatic retry, which would cost another whole execution. */
  readonly retry?: false
}

/** Failures of our own, as OpenAI's clients read them. */
export const OPENAI: Dialect = {
  contentType: 'application/json; charset=utf-8',
  bodyOf({ httpStatus, sentence }) {
    const code = Object.entries(ERROR_CODES).find(([, status]) => status === httpStatus)?.[0]
    return { error: toFailure(httpStatus, sentence, code).error }
  },
}

export function toFailure(httpStatus: number, message: string, code: string | null = null): Failure {
  return { httpStatus, error: { message, type: typeOf(httpStatus), code, param: null } }
}

/** A worker's value that says that the request failed, or its JSON text, as worker-sglang yields it; undefined for every other one. */
export function failureOfValue(given: unknown): Failure | undefined {
  const value = typeof given === 'string' && given.startsWith('{') ? parseJson(given) : given
  if (!isFields(value)) return undefined
  const { error } = value
  if (typeof error === 'string' && error !== '') return failureOfText(error)
  if (isFields(error)) return failureOfObject(error)
  return value['object'] === 'error' && typeof value['message'] === 'string' ? failureOfObject(value) : undefined
}

const NO_END: Readonly<Record<Exclude<FollowEnd['kind'], 'ended'>, Failure>> = {
  expired: { ...toFailure(504, 'the job is gone: its time to live was over before it had ended'), retry: false },
  restarted: toFailure(500, 'the worker was lost in the middle of the answer; send the request again'),
  left: toFailure(503, 'the gateway stops; send the request again'),
}

/** Undefined for a job that completed. */
export function failureOfEnd(end: FollowEnd): Failure | undefined {
  if (end.kind !== 'ended') return NO_END[end.kind]
  return end.record.status === 'COMPLETED' ? undefined : failureOfRecord(end.record)
}

function failureOfRecord(record: JobRecord): Failure {
  const text = errorOf(record)
  if (record.status === 'CANCELLED') return { ...toFailure(500, text), retry: false }
  if (record.status === 'TIMED_OUT' || text === 'executionTimeout exceeded') return { ...toFailure(504, text), retry: false }
  if (text.startsWith('job timed out after ')) return { ...toFailure(500, text), retry: false }
  return failureOfText(text)
}

function failureOfText(text: string): Failure {
  const message = readReprString(text, 'message') ?? text
  const type = readReprString(text, 'type')
  const inner = failureOfServer(text) ?? failureOfServer(message)
  if (inner !== undefined) return inner
  const failure = toFailure(500, readHandlerError(message) ?? message)
  return type === undefined ? failure : { ...failure, error: { ...failure.error, type } }
}

/**
 * What the server inside the worker said: worker-vllm's `vLLM returned HTTP 404: {"error": {…}}`, the older flat object, or any text; and
 * `Error code: 404 - {'error': {…}}`, the text of the `openai` package, which many workers hand on from a server of theirs.
 */
function failureOfServer(message: string): Failure | undefined {
  const [, status, detail] = /^(?:vLLM returned HTTP|Error code:) ([45]\d\d)(?::| -) ([\s\S]*)$/.exec(message) ?? []
  if (status === undefined || detail === undefined) return undefined
  const httpStatus = Number(status)
  const inner = failureOfValue(parseJson(detail))
  if (inner !== undefined) return { ...inner, httpStatus }
  return toFailure(httpStatus, readReprString(detail, 'message') ?? (detail === '' ? message : detail))
}

/** What the SDK makes of an exception: JSON text with `error_message` and a traceback (worker-api §7). */
function readHandlerError(text: string): string | undefined {
  const parsed = parseJson(text)
  return isFields(parsed) && typeof parsed['error_message'] === 'string' ? parsed['error_message'] : undefined
}

function failureOfObject(fields: Fields): Failure {
  const message = typeof fields['message'] === 'string' ? fields['message'] : JSON.stringify(fields)
  const inner = failureOfServer(message)
  if (inner !== undefined) return inner
  const { code, type, param } = fields
  const httpStatus = typeof code === 'number' && code >= 400 && code < 600 ? Math.trunc(code) : 500
  return {
    httpStatus,
    error: {
      message,
      type: typeof type === 'string' ? type : typeOf(httpStatus),
      code: typeof code === 'number' || typeof code === 'string' ? code : null,
      param: typeof param === 'string' ? param : null,
    },
  }
}

function typeOf(httpStatus: number): string {
  if (httpStatus === 429) return 'rate_limit_error'
  return httpStatus < 500 ? 'invalid_request_error' : 'server_error'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The value of a key that holds a string; undefined where there is none. */
export function readReprString(text: string, key: string): string | undefined {
  const start = new RegExp(`[{ ]'${key}': (['"])`).exec(text)
  if (start === null) return undefined
  const from = start.index + start[0].length
  const end = endOfString(text, from, start[1] as string)
  return end === undefined ? undefined : unescape(text.slice(from, end))
}

function endOfString(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return undefined
}

const LAST_CODE_POINT = 0x10_ff_ff

/** Python prints no other; a worker may post any text. */
function toCharacter(escape: string): string {
  const code = Number.parseInt(escape.slice(1), 16)
  return code > LAST_CODE_POINT ? `\\${escape}` : String.fromCodePoint(code)
}

function unescape(text: string): string {
  return text.replaceAll(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[\s\S])/g, (_, escape: string) =>
    escape.length === 1 ? (ESCAPES[escape] ?? escape) : toCharacter(escape),
  )
}
