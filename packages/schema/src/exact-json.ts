// Parses users' JSON so that JSON.stringify writes it again without changing a value: JavaScript would round integers above 2^53, and a 64-bit
// seed would become another seed (client-api §6 "verbatim"). Such a number is kept as its text, an object that only JSON.stringify can read.
// Fractions are doubles on both sides. Long lists of numbers are rounded nevertheless: exact parsing takes 2 µs per value and blocks the thread.

/** Costs a fraction of parsing, because hardly any text contains one. */
const LONG_INTEGER = /(?:^|[-:,[\s])\d{16}/
const MOST_VALUES = 100_000
const INTEGER = /^-?\d+$/

/** Available in Node since 21, not yet in TypeScript's library. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}

/** @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  if (!LONG_INTEGER.test(text) || hasManyValues(text)) return JSON.parse(text) as unknown
  return json.parse(text, (_, value, { source = '' }) => (isRounded(value) && INTEGER.test(source) ? json.rawJSON(source) : value))
}

/** Estimated by the number of commas. */
function hasManyValues(text: string): boolean {
  let at = -1
  for (let count = 0; count <= MOST_VALUES; count += 1) {
    at = text.indexOf(',', at + 1)
    if (at === -1) return false
  }
  return true
}

function isRounded(value: unknown): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value)
}
