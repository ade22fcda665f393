// What a worker yielded, as far as an OpenAI answer has to look into it, and the answer made of it (worker-api §14.2, §14.3). A value of many members,
// such as a page of embeddings, is not built but sent as it is: a failure would be short. Text goes through unchanged, since the newer workers cut an
// event stream wherever their socket did; objects are framed here.
import { JsonFaultError, parseExactJson, type JsonOutline, type JsonText, type Span } from '@runyard/schema'
import { scanInTurns } from '../http/json-body.ts'
import { nextTurn } from '../http/turns.ts'

/** Built at once: a few milliseconds. */
const SMALL_BYTES = 64 * 1024
const MOST_VALUES = 20_000
const OUTPUT: ReadonlySet<string> = new Set(['output'])

/** A class, to distinguish it from every value that was built. */
export class LargeValue {
  readonly #json: Buffer
  constructor(json: Buffer) {
    this.#json = json
  }
  /** On one line, as an event needs it: in JSON, line breaks stand between values only. */
  text(): string {
    return this.#json.toString().replaceAll(/[\r\n]/g, ' ')
  }
}

export async function readValue(json: JsonText): Promise<unknown> {
  if (json.length <= SMALL_BYTES) return parseExactJson(asText(json))
  const bytes = toBytes(json)
  return readSpan(bytes, { from: 0, to: bytes.length })
}

/** What a chunk wraps (worker-api §6). */
async function readChunkValue(json: JsonText): Promise<unknown> {
  if (json.length <= SMALL_BYTES) return unwrapChunk(parseExactJson(asText(json)))
  const bytes = toBytes(json)
  const { members, from, to } = await scanInTurns(bytes, { from: 0, to: bytes.length }, { members: OUTPUT })
  return readSpan(bytes, members.get('output') ?? { from, to })
}

/** One after another: between two of them others have the thread. */
export async function readChunkValues(chunks: readonly JsonText[]): Promise<readonly unknown[]> {
  const values: unknown[] = []
  let sinceTurn = 0
  for (const chunk of chunks) {
    sinceTurn += chunk.length
    if (sinceTurn > SMALL_BYTES) {
      sinceTurn = 0
      await nextTurn()
    }
    values.push(await readChunkValue(chunk))
  }
  return values
}

function unwrapChunk(chunk: unknown): unknown {
  return typeof chunk === 'object' && chunk !== null && 'output' in chunk ? chunk.output : chunk
}

/** A list of one value keeps its list: that is a generator's whole output. */
async function readSpan(bytes: Buffer, span: Span): Promise<unknown> {
  const outline = await outlineOfFew(bytes, span)
  await nextTurn()
  if (outline !== undefined) return parseExactJson(bytes.toString('utf8', span.from, span.to))
  const { kind, count, elements, ...whole } = await scanInTurns(bytes, span, { mostElements: 1 })
  const [only] = elements
  if (kind === 'array' && count === 1 && only !== undefined) return [new LargeValue(bytes.subarray(only.from, only.to))]
  return new LargeValue(bytes.subarray(whole.from, whole.to))
}

/** Undefined where there are too many. */
async function outlineOfFew(bytes: Buffer, span: Span): Promise<JsonOutline | undefined> {
  try {
    return await scanInTurns(bytes, span, { mostValues: MOST_VALUES })
  } catch (error) {
    if (error instanceof JsonFaultError && error.fault === 'too_many_values') return undefined
    throw error
  }
}

function asText(json: JsonText): string {
  return typeof json === 'string' ? json : toBytes(json).toString()
}

function toBytes(json: JsonText): Buffer {
  return typeof json === 'string' ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength)
}

/** The whole answer to a request that does not stream: a generator's one value without its list, strings as one text. */
export function toWholeAnswer(output: unknown): { readonly value: unknown } | { readonly text: string } {
  const whole = Array.isArray(output) && output.length === 1 ? (output[0] as unknown) : output
  if (typeof whole === 'string') return { text: whole }
  if (Array.isArray(whole) && whole.length > 0 && whole.every((piece) => typeof piece === 'string')) return { text: whole.join('') }
  return { value: whole }
}

export interface Piece {
  readonly text: string
  /** It was an object: then the gateway must send the end of the stream, too. */
  readonly framed: boolean
}

export const END_OF_EVENTS = 'data: [DONE]\n\n'

/** `chunk` is a string, an object, or a list of either; null says nothing. */
export function toPiece(chunk: unknown): Piece {
  if (chunk === null) return { text: '', framed: false }
  if (typeof chunk === 'string') return { text: chunk, framed: false }
  if (!Array.isArray(chunk)) return { text: toEvent(chunk), framed: true }
  const pieces = chunk.map(toPiece)
  return { text: pieces.map(({ text }) => text).join(''), framed: pieces.some(({ framed }) => framed) }
}

export function toEvent(value: unknown): string {
  return `data: ${value instanceof LargeValue ? value.text() : JSON.stringify(value)}\n\n`
}
