// From what a worker yielded to what an OpenAI client reads (worker-api §14.2, §14.3): text goes through as it is, since the newer workers cut
// an event stream wherever their socket did; objects are framed here.
import { LargeValue } from './value.ts'

/** The whole answer to a request that does not stream: a generator's one value without its list, strings as one text. */
export function toWholeAnswer(output: unknown): { readonly value: unknown } | { readonly text: string } {
  const whole = Array.isArray(output) && output.length === 1 ? (output[0] as unknown) : output
  if (typeof whole === 'string') return { text: whole }
  if (Array.isArray(whole) && whole.length > 0 && whole.every((piece) => typeof piece === 'string')) return { text: whole.join('') }
  return { value: whole }
}

export interface Piece {
  readonly text: string
  /** It was an object: then the stream's end has to be told by us, too. */
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
