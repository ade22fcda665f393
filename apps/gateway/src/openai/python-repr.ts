// The worker SDK puts a handler's error object into its report as Python prints it: `{'message': 'vLLM returned HTTP 404: …', 'type': …}`
// (worker-api §14.2). Only the strings in it are read, which is all that a client is told.
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The value of a key that holds a string; undefined where there is none. */
export function readReprString(text: string, key: string): string | undefined {
  const start = new RegExp(`[{ ]'${key}': (['"])`).exec(text)
  if (start === null) return undefined
  const from = start.index + start[0].length
  const end = endOfString(text, from, start[1] as string)
  return end === undefined ? undefined : unescape(text.slice(from, end))
}

function endOfString(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return undefined
}

const LAST_CODE_POINT = 0x10_ff_ff

/** Python prints no other; a worker may post any text. */
function toCharacter(escape: string): string {
  const code = Number.parseInt(escape.slice(1), 16)
  return code > LAST_CODE_POINT ? `\\${escape}` : String.fromCodePoint(code)
}

function unescape(text: string): string {
  return text.replaceAll(/\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[\s\S])/g, (_, escape: string) =>
    escape.length === 1 ? (ESCAPES[escape] ?? escape) : toCharacter(escape),
  )
}
