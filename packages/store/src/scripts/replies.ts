// Parses scripts' replies. Lua's `false` and `nil` arrive as null, and a list that ends in them is shorter. We wrote the scripts, so a reply of another
// shape is a bug, and the error names it.

export type Reader<T> = (reply: unknown) => T

export const nothing: Reader<void> = () => undefined

export const text: Reader<string> = (reply) => {
  if (typeof reply === 'string') return reply
  throw unlike('a text', reply)
}

/** Redis keeps numbers as texts. */
export const number: Reader<number> = (reply) => {
  const value = typeof reply === 'string' ? Number(reply) : reply
  if (typeof value === 'number' && reply !== '') return value
  throw unlike('a number', reply)
}

/** Lua's 1; 0 and false are no. */
export const flag: Reader<boolean> = (reply) => reply === 1

/** Nothing and the empty text are none. */
export function maybe<T>(reader: Reader<T>): Reader<T | undefined> {
  return (reply) => (reply === null || reply === undefined || reply === '' ? undefined : reader(reply))
}

export function list<T>(reader: Reader<T>): Reader<readonly T[]> {
  return (reply) => cellsOf(reply).map(reader)
}

export function word<const W extends string>(...words: readonly W[]): Reader<W> {
  const known = new Map<unknown, W>(words.map((one) => [one, one]))
  return (reply) => known.get(reply) ?? raise(unlike(words.join(' or '), reply))
}

/** A list whose places have names. */
export function row<T>(fields: { readonly [N in keyof T]: Reader<T[N]> }): Reader<T> {
  const readers: [string, Reader<T[keyof T]>][] = Object.entries(fields)
  return (reply) => {
    const cells = cellsOf(reply)
    const read: Record<string, T[keyof T]> = {}
    for (const [at, [name, reader]] of readers.entries()) read[name] = reader(cells[at])
    // The one cast at this border: a mapped type cannot be built field by field.
    return read as T
  }
}

/** A word where it is a text, a row where it is a list. */
export function wordOr<W, T>(words: Reader<W>, rows: Reader<T>): Reader<W | T> {
  return (reply) => (Array.isArray(reply) ? rows(reply) : words(reply))
}

/** A row whose first place says which of these it is; the rest follows. */
export function tagged<T>(rows: { readonly [N in keyof T]: Reader<T[N]> }): Reader<T[keyof T]> {
  const readers = new Map<unknown, Reader<T[keyof T]>>(Object.entries(rows))
  return (reply) => {
    const [kind, ...cells] = cellsOf(reply)
    const reader = readers.get(kind) ?? raise(unlike([...readers.keys()].join(' or '), kind))
    return reader(cells)
  }
}

function cellsOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : raise(unlike('a list', reply))
}

/** Without the value, which may be an input or a secret. */
function unlike(expected: string, reply: unknown): TypeError {
  return new TypeError(`a script replied ${reply === null ? 'nothing' : typeof reply} in place of ${expected}`)
}

function raise(error: Error): never {
  throw error
}
