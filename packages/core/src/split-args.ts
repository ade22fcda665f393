// A command line in POSIX words (management §6.2 "dockerArgs"): quotes and backslashes as a shell reads them, nothing is expanded.
import { RunyardError } from '@runyard/schema'

// One piece of a word: '…' verbatim | "…" with escapes | a backslash and what it escapes | plain text.
const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y
const BLANK = /\s+/y

/** @throws RunyardError('bad_request') when a quote is never closed. */
export function splitArgs(text: string): readonly string[] {
  const words: string[] = []
  let at = skipBlank(text, 0)
  while (at < text.length) {
    let word = ''
    while (at < text.length && !/\s/.test(text.charAt(at))) {
      PIECE.lastIndex = at
      const piece = PIECE.exec(text)
      if (piece === null) throw new RunyardError('bad_request', `args: the quote or backslash at position ${at} is never closed: ${text}`)
      word += pieceValue(piece)
      at = PIECE.lastIndex
    }
    words.push(word)
    at = skipBlank(text, at)
  }
  return words
}

/** The inverse of `splitArgs`: one line that is read as exactly these words. */
export function joinArgs(words: readonly string[]): string {
  return words.map((word) => (/^[^\s'"\\]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ')
}

function pieceValue([, single, double, escaped, plain]: RegExpExecArray): string {
  // Inside double quotes a backslash escapes only these four and a line break, which it removes.
  if (double !== undefined) return double.replaceAll(/\\([$`"\\]|\n)/g, (_, char: string) => (char === '\n' ? '' : char))
  if (escaped !== undefined) return escaped === '\n' ? '' : escaped
  return single ?? plain ?? ''
}

function skipBlank(text: string, at: number): number {
  BLANK.lastIndex = at
  return BLANK.test(text) ? BLANK.lastIndex : at
}
