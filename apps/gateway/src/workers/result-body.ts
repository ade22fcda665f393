// What a worker's post means (worker-api §5.1, §14.6; client-api §4.5), found without parsing the output. No post is refused: a body that follows no
// rule is the output itself, and one that is not JSON fails the job with that sentence. Python writes NaN and Infinity as bare words (worker-api §5),
// and some bodies are not valid UTF-8: the words become null, wrong bytes U+FFFD. All of it is done in slices, as with other large bodies.
import { JsonFaultError, toJson, type JobOutcome, type JsonOutline, type JsonScanOptions, type JsonText, type Span } from '@runyard/schema'
import { cut, isFields, isUtf8InTurns, scanInTurns } from '../http/json-body.ts'
import { nextTurn } from '../http/turns.ts'

export type WorkerResult =
  | { readonly kind: 'progress'; readonly output: JsonText }
  | { readonly kind: 'end'; readonly outcome: JobOutcome; readonly stopPod: boolean }

const ENVELOPE: ReadonlySet<string> = new Set(['output', 'error', 'status', 'stopPod'])
/** Whole tracebacks fit. A longer error is cut, since it is stored in Redis and sent with every answer about the job and with its webhook. */
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

/** A chunk as readers get it, with an `output` member (client-api R7); its siblings stay. Undefined for a body that is not JSON. */
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

/** Undefined also if it is longer than any value that is expected here, with each character written as an escape. */
function shortValueOf(bytes: Buffer, span: Span | undefined): unknown {
  return span === undefined || span.to - span.from > 80 ? undefined : JSON.parse(bytes.toString('utf8', span.from, span.to))
}

/**
 * Always a string on the wire (client-api R13), without half of a surrogate pair, which clients cannot print.
 * Python's truth: `error: ""`, null, 0, false, [] and {} are no errors.
 */
function errorOf(bytes: Buffer, span: Span | undefined): string | undefined {
  if (span === undefined) return undefined
  if (span.to - span.from > LONGEST_ERROR_BYTES) return cutError(bytes, span).toWellFormed()
  const value: unknown = JSON.parse(bytes.toString('utf8', span.from, span.to))
  const isError = Array.isArray(value) ? value.length > 0 : isFields(value) ? Object.keys(value).length > 0 : Boolean(value)
  if (!isError) return undefined
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()
}

const QUOTE = 0x22

/** The beginning of an error that is too long. The last escape of a string is dropped, since it may be cut in two. */
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

const SLICE_BYTES = 128 * 1024
const NULL = Buffer.from('null')
const BACKSLASH = 0x5c
const MINUS = 0x2d
/** Length of the word, by its first letter. */
const LAX_WORDS = new Map([
  [0x4e, 'NaN'.length],
  [0x49, 'Infinity'.length],
])

interface LaxBody {
  /** Valid JSON in UTF-8. */
  readonly bytes: Buffer
  readonly outline: JsonOutline
}

/** @throws JsonFaultError */
async function readLaxJson(body: Buffer, options: JsonScanOptions): Promise<LaxBody> {
  const utf8 = (await isUtf8InTurns(body)) ? body : await repairUtf8(body)
  const outline = await scanInTurns(utf8, { from: 0, to: utf8.length }, { ...options, isLax: true })
  if (outline.laxWords === 0) return { bytes: utf8, outline }
  const bytes = await replaceWords(utf8, outline.laxWords)
  return { bytes, outline: await scanInTurns(bytes, { from: 0, to: bytes.length }, options) }
}

async function repairUtf8(body: Buffer): Promise<Buffer> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    parts.push(Buffer.from(decoder.decode(body.subarray(at, at + SLICE_BYTES), { stream: true })))
    await nextTurn()
  }
  parts.push(Buffer.from(decoder.decode()))
  return Buffer.concat(parts)
}

/** Replaces the `words` bare words that the scan has found outside of strings. Each grows by one character at most. */
async function replaceWords(text: Buffer, words: number): Promise<Buffer> {
  const out = Buffer.allocUnsafe(text.length + words)
  let length = 0
  for (let at = 0, pause = SLICE_BYTES; at < text.length;) {
    const stringEnd = text[at] === QUOTE ? endOfString(text, at) : at
    const word = stringEnd === at ? LAX_WORDS.get(text[at] ?? 0) : undefined
    if (word !== undefined) {
      if (out[length - 1] === MINUS) length -= 1
      length += NULL.copy(out, length)
      at += word
    } else {
      const to = Math.max(stringEnd, at + 1)
      length += to - at < 16 ? copyBytes(text, { at, to }, { out, length }) : text.copy(out, length, at, to)
      at = to
    }
    if (at > pause) {
      pause = at + SLICE_BYTES
      await nextTurn()
    }
  }
  return out.subarray(0, length)
}

/** Cheaper than a call of `copy` for a few bytes. */
function copyBytes(text: Buffer, { at, to }: { at: number; to: number }, { out, length }: { out: Buffer; length: number }): number {
  for (let index = at; index < to; index += 1) out[length + index - at] = text[index] ?? 0
  return to - at
}

/** The position after the closing quote. */
function endOfString(text: Buffer, open: number): number {
  let at = open + 1
  while (text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
  return at + 1
}
