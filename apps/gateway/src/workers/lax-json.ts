// What workers post and is no JSON to the letter: Python writes NaN and Infinity as bare words (worker-api §5), and some bodies are not valid
// UTF-8. A result must not be lost for either: the words become null, wrong bytes U+FFFD. In slices, as everything that is done to large bodies.
import type { JsonOutline, JsonScanOptions } from '@runyard/schema'
import { isUtf8InTurns, scanInTurns } from '../http/json-body.ts'
import { nextTurn } from '../http/turns.ts'

const SLICE_BYTES = 128 * 1024
const NULL = Buffer.from('null')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
/** By the first letter: how long the word is. */
const LAX_WORDS = new Map([
  [0x4e, 'NaN'.length],
  [0x49, 'Infinity'.length],
])

export interface LaxBody {
  /** Valid JSON in UTF-8. */
  readonly bytes: Buffer
  readonly outline: JsonOutline
}

/** @throws JsonFaultError */
export async function readLaxJson(body: Buffer, options: JsonScanOptions): Promise<LaxBody> {
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

/** Of a text that the scan has read, `words` of them outside of its strings. Each grows by one letter at most. */
async function replaceWords(text: Buffer, words: number): Promise<Buffer> {
  const out = Buffer.allocUnsafe(text.length + words)
  let length = 0
  for (let at = 0, pause = SLICE_BYTES; at < text.length;) {
    const end = text[at] === QUOTE ? endOfString(text, at) : at
    const word = end === at ? LAX_WORDS.get(text[at] ?? 0) : undefined
    if (word !== undefined) {
      if (out[length - 1] === MINUS) length -= 1
      length += NULL.copy(out, length)
      at += word
    } else {
      const to = Math.max(end, at + 1)
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

/** Cheaper than a call of `copy` for a few. */
function copyBytes(text: Buffer, { at, to }: { at: number; to: number }, { out, length }: { out: Buffer; length: number }): number {
  for (let index = at; index < to; index += 1) out[length + index - at] = text[index] ?? 0
  return to - at
}

/** After the closing quote. */
function endOfString(text: Buffer, open: number): number {
  let at = open + 1
  while (text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
  return at + 1
}
