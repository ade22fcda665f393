// What a worker's container runs instead of its image's own command. Runpod's "container start command" is either a line that replaces the
// image's CMD, or JSON with `cmd` and `entrypoint` (management §6.2 "dockerArgs"; Runpod's documentation of templates).
import { shown, RunyardError, StartCommandJson, type EndpointSpec } from '@runyard/schema'

export interface StartCommand {
  /** Empty: the image's own. */
  readonly entrypoint: readonly string[]
  readonly args: readonly string[]
}

/** An entrypoint inside the JSON overrides the separate field. @throws RunyardError('bad_request') */
export function startCommandOf({ args, entrypoint = [] }: Pick<EndpointSpec, 'args' | 'entrypoint'>): StartCommand {
  // No program is called `{"cmd":…`, so this can only be JSON.
  if (!/^\s*\{\s*"/.test(args)) return { entrypoint, args: splitArgs(args) }
  const given = readJson(args)
  return { entrypoint: given.entrypoint ?? entrypoint, args: given.cmd ?? [] }
}

function readJson(text: string): StartCommandJson {
  try {
    return StartCommandJson.parse(JSON.parse(text))
  } catch (error) {
    const sentence = `args: a start command in JSON is {"cmd": ["…"], "entrypoint": ["…"]}, each a list of words; ${shown(text)} was given.`
    throw new RunyardError('bad_request', sentence, { cause: error })
  }
}

const PIECE = /'([^']*)'|\\([\s\S])|([^\s'"\\]+)/y
const ESCAPE_OR_QUOTE = /["\\]/g
const BLANK = /\s+/y

/** Splits a command line into words like a POSIX shell, without expansions. @throws RunyardError('bad_request') when a quote is never closed. */
export function splitArgs(text: string): readonly string[] {
  const words: string[] = []
  let at = skipBlank(text, 0)
  while (at < text.length) {
    let word = ''
    while (at < text.length && !/\s/.test(text.charAt(at))) {
      const piece = text.charAt(at) === '"' ? readDouble(text, at) : readPlain(text, at)
      if (piece === undefined) {
        throw new RunyardError('bad_request', `args: the quote or backslash at position ${at} is never closed: ${shown(text)}`)
      }
      word += piece.value
      at = piece.end
    }
    words.push(word)
    at = skipBlank(text, at)
  }
  return words
}

/** The inverse of `splitArgs`: one line that splits into exactly these words. */
export function joinArgs(words: readonly string[]): string {
  return words.map((word) => (/^[^\s'"\\]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ')
}

interface Piece {
  readonly value: string
  /** Where the next piece begins. */
  readonly end: number
}

function readPlain(text: string, at: number): Piece | undefined {
  PIECE.lastIndex = at
  const piece = PIECE.exec(text)
  if (piece === null) return undefined
  const [plain, single, escaped] = piece
  if (escaped !== undefined) return { value: escaped === '\n' ? '' : escaped, end: PIECE.lastIndex }
  return { value: single ?? plain, end: PIECE.lastIndex }
}

/** A loop, because one regular expression for the whole quote would need a stack as deep as the word is long. */
function readDouble(text: string, at: number): Piece | undefined {
  ESCAPE_OR_QUOTE.lastIndex = at + 1
  for (let found = ESCAPE_OR_QUOTE.exec(text); found !== null; found = ESCAPE_OR_QUOTE.exec(text)) {
    if (found[0] === '"') return { value: unescapeDouble(text.slice(at + 1, found.index)), end: found.index + 1 }
    ESCAPE_OR_QUOTE.lastIndex = found.index + 2
  }
  return undefined
}

/** Inside double quotes a backslash escapes only these four characters and a line break, which it removes. */
function unescapeDouble(text: string): string {
  return text.replaceAll(/\\([$`"\\]|\n)/g, (_, char: string) => (char === '\n' ? '' : char))
}

function skipBlank(text: string, at: number): number {
  BLANK.lastIndex = at
  return BLANK.test(text) ? BLANK.lastIndex : at
}
