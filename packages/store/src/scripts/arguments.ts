// The arguments of a script: their kinds, the Lua that binds each to its name, and how a caller's record is encoded.
import type { Signal } from '@runyard/schema'

export type Argument = string | number | Buffer

/** What callers pass, by kind. In Lua: a string, a number, a boolean, a list of strings, a text for `publish`, a list of those. */
interface Values {
  readonly text: string
  /** A string in Lua, byte for byte. */
  readonly bytes: Uint8Array
  readonly number: number
  /** A number that Lua only hands on to Redis: it stays a text, which costs less. */
  readonly digits: number
  readonly flag: boolean
  readonly texts: readonly (string | number)[]
  readonly signal: Signal
  readonly signals: readonly Signal[]
}
type Kind = keyof Values
/** Arguments that belong together are one table in Lua. */
type Group = Readonly<Record<string, 'text' | 'number' | 'digits' | 'flag'>>
export type ArgumentSpecs = Readonly<Record<string, Kind | Group>>

type ValueOf<S> = S extends Kind ? Values[S] : { readonly [F in keyof S]: S[F] extends Kind ? Values[S[F]] : never }
/** What a script of these keys and arguments is run with. */
export type Input<K extends string, A> = { readonly [N in K]: string } & { readonly [N in keyof A]: ValueOf<A[N]> }
export type SignalsOf<A> = { [N in keyof A]: A[N] extends 'signal' | 'signals' ? N : never }[keyof A]

/** Who publishes from scripts: where, and in which envelope. */
export interface Sender {
  readonly channel: string
  readonly encode: (signal: Signal) => string
}

export type ToArguments = (input: Readonly<Record<string, unknown>>, sender: Sender) => readonly Argument[]

/** Lists travel last, each behind its length, so that all else has a fixed place. */
export function layOut(args: ArgumentSpecs) {
  const all = Object.entries(args)
  const sends = all.some(([, spec]) => spec === 'signal' || spec === 'signals')
  const isList = (spec: Kind | Group) => spec === 'texts' || spec === 'signals'
  const fixed = all.filter(([, spec]) => !isList(spec))
  const lists = all.filter(([, spec]) => isList(spec))

  let place = 0
  const next = (): string => `ARGV[${(place += 1)}]`
  const lines = sends ? [`local channel = ${next()}`, PUBLISH] : []
  for (const [name, spec] of fixed) lines.push(`local ${name} = ${typeof spec === 'string' ? toLua(spec, next()) : toTable(spec, next)}`)
  if (lists.length > 0) lines.push(LIST_AT)
  let at = String(place + 1)
  for (const [name] of lists) {
    lines.push(`local ${name}, ${name}End = listAt(${at})`)
    at = `${name}End`
  }
  const encoders = [...fixed, ...lists].map(([name, spec]) => [name, encoderOf(spec)] as const)
  const toArguments: ToArguments = (input, sender) => {
    const out: Argument[] = sends ? [sender.channel] : []
    for (const [name, encode] of encoders) {
      if (!encode(input[name], out, sender))
        throw new TypeError(`the argument ${name} of a script is of another kind than its definition says`)
    }
    return out
  }
  return { header: lines.join('\n'), toArguments }
}

const PUBLISH = `local function publish(signal) call('PUBLISH', channel, signal) end`
const LIST_AT = `local function listAt(at)
  local items, count = {}, tonumber(ARGV[at])
  for index = 1, count do items[index] = ARGV[at + index] end
  return items, at + count + 1
end`

function toLua(kind: Kind, place: string): string {
  if (kind === 'number') return `tonumber(${place})`
  return kind === 'flag' ? `${place} == '1'` : place
}

function toTable(group: Group, next: () => string): string {
  const fields = Object.entries(group).map(([field, kind]) => `${field} = ${toLua(kind, next())}`)
  return `{ ${fields.join(', ')} }`
}

/** False for a value of another kind. */
type Encode = (value: unknown, out: Argument[], sender: Sender) => boolean

const pushScalar: Encode = (value, out) => (typeof value === 'string' || typeof value === 'number') && out.push(value) > 0

const ENCODE: Readonly<Record<Kind, Encode>> = {
  text: pushScalar,
  bytes: (value, out) => value instanceof Uint8Array && out.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength)) > 0,
  number: pushScalar,
  digits: pushScalar,
  flag: (value, out) => out.push(value === true ? 1 : 0) > 0,
  signal: (value, out, sender) => isSignal(value) && out.push(sender.encode(value)) > 0,
  // Not spread: there may be more of them than a call takes arguments.
  texts: (value, out, sender) => isList(value) && out.push(value.length) > 0 && value.every((one) => pushScalar(one, out, sender)),
  signals: (value, out, sender) => isList(value) && out.push(value.length) > 0 && value.every((one) => ENCODE.signal(one, out, sender)),
}

function encoderOf(spec: Kind | Group): Encode {
  if (typeof spec === 'string') return ENCODE[spec]
  const fields = Object.entries(spec)
  return (value, out, sender) => isRecord(value) && fields.every(([field, kind]) => ENCODE[kind](value[field], out, sender))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
export const isSignal = (value: unknown): value is Signal => isRecord(value) && 'kind' in value
