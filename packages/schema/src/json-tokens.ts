// Finds the ends of JSON's smallest tokens (RFC 8259): escapes, numbers and words. For the scan (`json-scan.ts`).

export type JsonFault = 'not_json' | 'too_deep' | 'too_many_values'

export class JsonFaultError extends Error {
  override readonly name = 'JsonFaultError'
  readonly fault: JsonFault
  constructor(fault: JsonFault) {
    super(fault)
    this.fault = fault
  }
}

const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LARGE_I = 0x49
const SMALL_E = 0x65
const SMALL_U = 0x75

const toCodes = (word: string): readonly number[] => Array.from(word, (letter) => letter.charCodeAt(0))
/** Characters that may follow a backslash, besides `u`. */
const ESCAPES = new Set(toCodes('"\\/bfnrt'))
/** Words by their first letter. Python writes the lax ones. */
const WORDS = new Map(
  ['true', 'false', 'null', 'NaN', 'Infinity'].map((word) => {
    const codes = toCodes(word)
    return [codes[0] ?? 0, { codes, isLax: word === 'NaN' || word === 'Infinity' }] as const
  }),
)

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE

function isHexDigit(byte: number | undefined): boolean {
  const letter = (byte ?? 0) | 0x20
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66)
}

/** The end of the escape whose backslash is at `at`. */
export function endOfEscape(bytes: Uint8Array, at: number, end: number): number {
  const next = bytes[at + 1] ?? 0
  const to = next === SMALL_U ? at + 6 : at + 2
  if (to > end || (next !== SMALL_U && !ESCAPES.has(next))) throw new JsonFaultError('not_json')
  for (let digit = at + 2; digit < to; digit += 1) if (!isHexDigit(bytes[digit])) throw new JsonFaultError('not_json')
  return to
}

/** The end of the number or word that starts at `at`. */
export function endOfWord(bytes: Uint8Array, at: number, end: number): { readonly to: number; readonly isLax: boolean } {
  const from = bytes[at] === MINUS ? at + 1 : at
  if (isDigit(bytes[from])) return { to: endOfNumber(bytes, from, end), isLax: false }
  const word = from > at && bytes[from] !== LARGE_I ? undefined : WORDS.get(bytes[from] ?? 0)
  if (word === undefined || from + word.codes.length > end) throw new JsonFaultError('not_json')
  const isWord = word.codes.every((code, index) => bytes[from + index] === code)
  if (!isWord) throw new JsonFaultError('not_json')
  return { to: from + word.codes.length, isLax: word.isLax }
}

function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  const whole = bytes[from] === ZERO && from < end ? from + 1 : endOfDigits(bytes, from, end)
  const fraction = whole < end && bytes[whole] === POINT ? endOfDigits(bytes, whole + 1, end) : whole
  if (fraction >= end || ((bytes[fraction] ?? 0) | 0x20) !== SMALL_E) return fraction
  const sign = bytes[fraction + 1]
  return endOfDigits(bytes, fraction + (sign === PLUS || sign === MINUS ? 2 : 1), end)
}

/** Skips digits; requires at least one. */
function endOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && isDigit(bytes[at])) at += 1
  if (at === from) throw new JsonFaultError('not_json')
  return at
}
