// What a job-done body means (worker-api §5.1, §14.6; client-api §4.5), found without parsing the output. Nothing a worker posts is refused: a
// body that follows no rule is the output itself, one that is not JSON is a failure that says so.
import { toJson, type JobOutcome, type JsonText, JsonFaultError, type JsonOutline, type Span } from '@runyard/schema'
import { cut, isFields } from '../http/json-body.ts'
import { readLaxJson, type LaxBody } from './lax-json.ts'

export type WorkerResult =
  | { readonly kind: 'progress'; readonly output: JsonText }
  | { readonly kind: 'end'; readonly outcome: JobOutcome; readonly stopPod: boolean }

const ENVELOPE: ReadonlySet<string> = new Set(['output', 'error', 'status', 'stopPod'])
/** Whole tracebacks fit. What is longer is cut: it lies in Redis, in every answer about the job and in its webhook. */
const LONGEST_ERROR_BYTES = 256 * 1024
const NOT_JSON = 'the worker posted a result that is not JSON, or nested too deeply'

export async function readResult(body: Buffer): Promise<WorkerResult> {
  try {
    return toResult(await readLaxJson(body, { members: ENVELOPE }))
  } catch (error) {
    if (error instanceof JsonFaultError) return end({ status: 'FAILED', error: NOT_JSON }, false)
    throw error
  }
}

/** A chunk as readers get it, with an `output` member (client-api R7); siblings of it stay. Undefined for what is not JSON. */
export async function readChunk(body: Buffer): Promise<JsonText | undefined> {
  try {
    const { bytes, outline } = await readLaxJson(body, { members: ENVELOPE })
    if (outline.members.has('output')) return cut(bytes, outline)
    return wrapChunk(bytes, outline)
  } catch (error) {
    if (error instanceof JsonFaultError) return undefined
    throw error
  }
}

function wrapChunk(bytes: Buffer, span: Span): JsonText {
  const wrapped = Buffer.concat([Buffer.from('{"output":'), bytes.subarray(span.from, span.to), Buffer.from('}')])
  return cut(wrapped, { from: 0, to: wrapped.length })
}

function toResult({ bytes, outline }: LaxBody): WorkerResult {
  const { kind, members } = outline
  if (kind !== 'object') return end({ status: 'COMPLETED', output: cut(bytes, outline) }, false)
  const output = outputOf(bytes, outline)
  if (shortValueOf(bytes, members.get('status')) === 'IN_PROGRESS') return { kind: 'progress', output: output ?? toJson(null) }
  const stopPod = shortValueOf(bytes, members.get('stopPod')) === true
  const outcome = { status: 'COMPLETED', ...(output === undefined ? {} : { output }) } as const
  const error = errorOf(bytes, members.get('error'))
  return end(error === undefined ? outcome : { ...outcome, status: 'FAILED', error }, stopPod)
}

function end(outcome: JobOutcome, stopPod: boolean): WorkerResult {
  return { kind: 'end', outcome, stopPod }
}

/** Third-party workers post bare outputs, without the envelope. */
function outputOf(bytes: Buffer, outline: JsonOutline): JsonText | undefined {
  const { count, members } = outline
  if (count > 0 && members.size === 0) return cut(bytes, outline)
  const span = members.get('output')
  return span === undefined ? undefined : cut(bytes, span)
}

/** Undefined also where it is too long to be what is asked for, each letter written as an escape. */
function shortValueOf(bytes: Buffer, span: Span | undefined): unknown {
  return span === undefined || span.to - span.from > 80 ? undefined : JSON.parse(bytes.toString('utf8', span.from, span.to))
}

/** Always a string on the wire (client-api R13). Python's truth: `error: ""`, null, 0, false, [] and {} are no errors. */
function errorOf(bytes: Buffer, span: Span | undefined): string | undefined {
  if (span === undefined) return undefined
  if (span.to - span.from > LONGEST_ERROR_BYTES) return cutError(bytes, span)
  const value: unknown = JSON.parse(bytes.toString('utf8', span.from, span.to))
  const isError = Array.isArray(value) ? value.length > 0 : isFields(value) ? Object.keys(value).length > 0 : Boolean(value)
  if (!isError) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const QUOTE = 0x22

/** The beginning of an error that is too long; of a string without the last escape, which may be cut in two. */
function cutError(bytes: Buffer, { from, to }: Span): string {
  const text = bytes.toString('utf8', from, from + LONGEST_ERROR_BYTES)
  const left = ` … (cut: ${to - from} bytes in all)`
  return (bytes[from] === QUOTE ? unquoteStart(text) : text) + left
}

function unquoteStart(text: string): string {
  for (let less = 0; less < 12; less += 1) {
    try {
      return String(JSON.parse(`${text.slice(0, text.length - less)}"`))
    } catch {
      // In the middle of an escape: the longest, two of them for one letter, has twelve characters.
    }
  }
  return text
}
