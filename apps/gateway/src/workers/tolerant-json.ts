// Python writes NaN and Infinity as bare tokens, which JSON.parse rejects (worker-api §5). A result must not be lost for that: outside of
// strings they are read as null. Whatever else is wrong stays wrong.
import { parseExactJson } from '@runyard/schema'

const NUMBER_TOKENS = /-?\bInfinity\b|\bNaN\b/g

/** @throws SyntaxError */
export function parseTolerantJson(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch (error) {
    if (!text.includes('NaN') && !text.includes('Infinity')) throw error
    return parseExactJson(replaceOutsideStrings(text))
  }
}

function replaceOutsideStrings(text: string): string {
  const parts: string[] = []
  let from = 0
  while (from < text.length) {
    const open = text.indexOf('"', from)
    const end = open === -1 ? text.length : open
    parts.push(text.slice(from, end).replaceAll(NUMBER_TOKENS, 'null'))
    from = open === -1 ? end : endOfString(text, open)
    parts.push(text.slice(end, from))
  }
  return parts.join('')
}

/** Index after the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote === -1 ? text.length : quote + 1
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}
