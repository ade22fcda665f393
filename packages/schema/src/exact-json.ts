// Reads users' JSON so that JSON.stringify writes it again without changing a value: JavaScript's numbers would round whole ones above 2^53,
// and a 64-bit seed would be another seed (client-api §6 "verbatim"). Such a number is kept as its text, an opaque object for everybody but
// JSON.stringify. Fractions are doubles on both sides. Long lists of numbers are rounded all the same: reading exactly takes 2 µs a value,
// and nobody else is served meanwhile.

/** Costs a fraction of what parsing does, since nearly no text has one. */
const LONG_INTEGER = /(?:^|[-:,[\s])\d{16}/
const MOST_VALUES = 100_000
const INTEGER = /^-?\d+$/

/** In Node since 21, in TypeScript's library not yet. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}

/** @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  if (!LONG_INTEGER.test(text) || hasManyValues(text)) return JSON.parse(text) as unknown
  return json.parse(text, (_, value, { source = '' }) => (isRounded(value) && INTEGER.test(source) ? json.rawJSON(source) : value))
}

/** Told by its commas, which are about as many. */
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
