// Where a text stops being JSON. Browsers word the error; the place is found here, because Chromium names none for an unexpected token.

export interface JsonError {
  /** `Line 3, column 3: Unexpected token 'o'.` */
  readonly message: string
  /** In the text; its length where the end is missing. */
  readonly position: number
}

/** Undefined: it is JSON. */
export function findJsonError(text: string): JsonError | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const position = findFault(text) ?? text.length
    const before = text.slice(0, position).split('\n')
    const what = withoutPlace(error instanceof Error ? error.message : String(error))
    return { message: `Line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${what}.`, position }
  }
}

function withoutPlace(message: string): string {
  return message
    .replace(/^JSON\.parse: /u, '')
    .replace(/ (?:in JSON )?at (?:position|line) .*$/su, '')
    .replace(/, (?:\.\.\.)?".*is not valid JSON$/su, '')
}

type State = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'after'

const VALUES = { scalar: 'after', '"': 'after', '{': 'name or end', '[': 'value or end' } as const
/** What may come in a state, and the state after it. */
const NEXT: Readonly<Record<State, Readonly<Record<string, State>>>> = {
  value: VALUES,
  'value or end': { ...VALUES, ']': 'after' },
  name: { '"': 'colon' },
  'name or end': { '"': 'colon', '}': 'after' },
  colon: { ':': 'value' },
  after: {},
}
/** What may come after a value: by what is open. */
const AFTER: Readonly<Record<string, Readonly<Record<string, State>>>> = {
  '{': { ',': 'name', '}': 'after' },
  '[': { ',': 'value', ']': 'after' },
}

const BLANKS = /[\t\n\r ]*/uy
const PUNCTUATION = /[{}[\],:]/uy
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy
/** As far as it is valid. */
// oxlint-disable-next-line no-control-regex -- a string must not have them
const STRING = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*/uy

/** Undefined: there is none. */
function findFault(text: string): number | undefined {
  const open: string[] = []
  let state = 'value' as State
  let at = skip(BLANKS, text, 0)
  while (at < text.length) {
    const { kind, end, isCut } = readToken(text, at)
    const next = nextState(state, kind, open.at(-1))
    if (next === undefined) return at
    if (isCut === true) return end
    if ('{['.includes(kind)) open.push(kind)
    else if ('}]'.includes(kind)) open.pop()
    state = next
    at = skip(BLANKS, text, end)
  }
  return state === 'after' && open.length === 0 ? undefined : text.length
}

function nextState(state: State, kind: string, open = 'nothing'): State | undefined {
  return state === 'after' ? AFTER[open]?.[kind] : NEXT[state][kind]
}

interface Token {
  readonly kind: string
  readonly end: number
  /** A string that is not closed where its valid letters end. */
  readonly isCut?: boolean
}

function readToken(text: string, at: number): Token {
  const afterString = skip(STRING, text, at)
  if (afterString > at)
    return text[afterString] === '"' ? { kind: '"', end: afterString + 1 } : { kind: '"', end: afterString, isCut: true }
  const afterScalar = skip(SCALAR, text, at)
  if (afterScalar > at) return { kind: 'scalar', end: afterScalar }
  const end = skip(PUNCTUATION, text, at)
  return { kind: text.slice(at, end), end }
}

/** The end of what matches at a place; the place itself if nothing does. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
