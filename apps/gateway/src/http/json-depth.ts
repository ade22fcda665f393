// JSON that is nested so deeply that it can be read but not written again (JSON.stringify recurses): refused at the door, before a job is
// accepted that nobody could be told about. One pass over the bytes, a fraction of what parsing them costs.

/** Python's own `json` gives up at about the same depth. */
const DEEPEST = 1000
/** Each level takes two characters. */
const TOO_SHORT_TO_BE_DEEP = 2 * DEEPEST

export const TOO_DEEP = `JSON may be nested ${DEEPEST} levels deep at most`

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const CURLY = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d

/** Counts brackets outside of strings. What is no JSON is left to the parser. */
export function isTooDeep(json: Buffer): boolean {
  if (json.length <= TOO_SHORT_TO_BE_DEEP) return false
  let depth = 0
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) at = endOfString(json, at)
    else if ((byte | CURLY) === OPEN) depth += 1
    else if ((byte | CURLY) === CLOSE) depth -= 1
    if (depth > DEEPEST) return true
  }
  return false
}

/** Index of the closing quote of the string that opens at `open`. */
function endOfString(json: Buffer, open: number): number {
  let at = open + 1
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
