// Looks into bodies without parsing them (ADR 35). A scan finds whether a body is JSON and where the few members are that the gateway reads. A large
// body is scanned in slices, one slice per turn of the event loop for all bodies together, so that no body keeps the thread from other requests.
import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import {
  asJson,
  RunyardError,
  type JsonText,
  DEEPEST_JSON,
  JsonFaultError,
  JsonScan,
  type JsonFault,
  type JsonOutline,
  type JsonScanOptions,
  type Span,
} from '@runyard/schema'
import { nextTurn } from './turns.ts'

/** Of a body that is parsed whole: few enough to be built within milliseconds. */
const MOST_VALUES = 20_000
/** One to three milliseconds, whatever the bytes are. */
const SLICE_BYTES = 128 * 1024
/** Less than a millisecond. */
const UTF8_SLICE_BYTES = 1024 * 1024
/** Larger values stay bytes. */
const LARGEST_TEXT = 64 * 1024
/** Of a member that is parsed: policies, URLs of webhooks. */
const LARGEST_PARSED = 64 * 1024

export const NOT_UTF8 = 'the request body is not valid UTF-8 (compressed bodies are not accepted)'
const SENTENCES: Readonly<Record<JsonFault, string>> = {
  not_json: 'the request body is not valid JSON',
  too_deep: `JSON may be nested ${DEEPEST_JSON} levels deep at most`,
  too_many_values: `the request body has more than ${MOST_VALUES} values`,
}

/**
 * JSON.parse makes `__proto__` an own property, which is harmless as long as no code assigns its keys one by one (client-api R18).
 * @throws RunyardError('bad_request')
 */
export async function parseBody(body: Buffer): Promise<unknown> {
  await checkBody(body)
  return JSON.parse(body.toString())
}

/** @throws RunyardError('bad_request') */
export async function checkBody(body: Buffer): Promise<void> {
  await outlineBody(body, { mostValues: MOST_VALUES })
}

/** A JSON object from outside, before anything is known of its members. */
export type Fields = Readonly<Record<string, unknown>>

/** Neither an array nor null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const EMPTY_OBJECT = Buffer.from('{}')

export function bytesOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) && body.length > 0 ? body : EMPTY_OBJECT
}

/** Most bodies are small: they are scanned at once, since a turn costs more than that. @throws RunyardError('bad_request') */
export function outlineBody(body: Buffer, options: JsonScanOptions): JsonOutline | Promise<JsonOutline> {
  if (body.length > SLICE_BYTES) return outlineInTurns(body, options)
  if (!isUtf8(body)) throw new RunyardError('bad_request', NOT_UTF8)
  const scan = new JsonScan(body, { from: 0, to: body.length }, options)
  try {
    scan.step(body.length)
    return scan.outline()
  } catch (error) {
    throw toBadRequest(error)
  }
}

async function outlineInTurns(body: Buffer, options: JsonScanOptions): Promise<JsonOutline> {
  if (!(await isUtf8InTurns(body))) throw new RunyardError('bad_request', NOT_UTF8)
  return outlineSpan(body, { from: 0, to: body.length }, options)
}

/** Whether a body is UTF-8; checked in slices that begin with a whole character. */
export async function isUtf8InTurns(body: Buffer): Promise<boolean> {
  let from = 0
  while (body.length - from > UTF8_SLICE_BYTES) {
    const to = startOfCharacter(body, from + UTF8_SLICE_BYTES)
    if (!isUtf8(body.subarray(from, to))) return false
    from = to
    await nextTurn()
  }
  return isUtf8(from === 0 ? body : body.subarray(from))
}

/** At `at` or up to three bytes before it. If there is none, the text is not UTF-8, and the check of its slice fails. */
function startOfCharacter(body: Buffer, at: number): number {
  for (let start = at; start > at - 4; start -= 1) if (((body[start] ?? 0) & 0xc0) !== 0x80) return start
  return at
}

/** Of a part of a body that is known to be UTF-8. @throws RunyardError('bad_request') */
export async function outlineSpan(body: Buffer, span: Span, options: JsonScanOptions): Promise<JsonOutline> {
  try {
    return await scanInTurns(body, span, options)
  } catch (error) {
    throw toBadRequest(error)
  }
}

/** @throws JsonFaultError */
export async function scanInTurns(body: Buffer, span: Span, options: JsonScanOptions): Promise<JsonOutline> {
  const scan = new JsonScan(body, span, options)
  while (!scan.step(SLICE_BYTES)) await nextTurn()
  return scan.outline()
}

export function toBadRequest(error: unknown): unknown {
  return error instanceof JsonFaultError ? new RunyardError('bad_request', SENTENCES[error.fault]) : error
}

/** The value as it came. */
export function cut(body: Buffer, { from, to }: Span): JsonText {
  return asJson(to - from > LARGEST_TEXT ? (body.subarray(from, to) as Buffer<ArrayBuffer>) : body.toString('utf8', from, to))
}

/** A member that the gateway reads itself. @throws RunyardError('bad_request') if it is larger than such a member can be */
export function parseMember(body: Buffer, span: Span | undefined, name: string): unknown {
  if (span === undefined) return undefined
  if (span.to - span.from > LARGEST_PARSED) throw new RunyardError('bad_request', `"${name}" may be ${LARGEST_PARSED} bytes long at most`)
  return JSON.parse(body.toString('utf8', span.from, span.to))
}
