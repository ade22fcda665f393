// How the fields of the dialects correspond to the model's, as tables: one row per member of the model, one cell per dialect. A cell is the
// dialect's name where both have the same value; or the name with how to read and how to write the value; or several names that make one
// value. One cell serves both directions, so a field that is read is also written. A reader sees only the fields that its cell names.

export const DIALECTS = ['v2', 'v1', 'graphql'] as const
export type DialectName = (typeof DIALECTS)[number]

/** Which value of a body stands for a field that is not given: null clears, except in GraphQL. */
const IS_ABSENT: Readonly<Record<DialectName, (value: unknown) => boolean>> = {
  v2: (value) => value === undefined,
  v1: (value) => value === undefined,
  graphql: (value) => value == null,
}

type Given<T> = Exclude<T, null | undefined>

/** What clients send, and what they get. */
export interface Shape<Body = object, View = object> {
  readonly body: Body
  readonly view: View
}

/** `read` may return undefined: the value says nothing. `write` may return undefined: the field is left out. */
type Cell<Body, View, Model, K extends keyof Model> =
  | {
      [N in keyof Body & keyof View]:
        | (Given<Body[N]> extends Given<Model[K]> ? (Model[K] extends View[N] ? N : never) : never)
        | {
            readonly name: N
            readonly read: (value: Given<Body[N]>) => Given<Model[K]> | undefined | (null extends Model[K] ? null : never)
            readonly write: (value: Model[K], model: Model) => View[N]
          }
    }[keyof Body & keyof View]
  | {
      readonly name: null
      readonly names: readonly (keyof Body)[]
      readonly read: (body: Body, current: Partial<Model> | undefined) => Model[K] | undefined
      readonly write: (value: Model[K]) => Partial<View>
    }

type Table<Model, S extends Record<DialectName, Shape>> = {
  readonly [K in keyof Model]?: { readonly [D in DialectName]?: Cell<S[D]['body'], S[D]['view'], Model, K> }
}

type Written<View, C> = C extends keyof View
  ? Pick<View, C>
  : C extends { readonly name: infer N extends keyof View }
    ? { [K in N]: View[K] }
    : C extends { readonly names: readonly unknown[]; readonly write: (value: never) => infer W }
      ? W
      : unknown

type AllOf<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer I) => void ? I : never

export interface Fields<Body, View, Model, Columns> {
  /** Their names in bodies. */
  readonly names: readonly string[]
  /** The members of the model that the body gives. `current`: what is there, for fields that say only a part of a value. */
  read(body: Body, current?: Partial<Model>): Partial<Pick<Model, keyof Columns & keyof Model>>
  /** The dialect's fields of the model. */
  write(model: Model): AllOf<{ [K in keyof Columns]: Written<View, Columns[K]> }[keyof Columns]>
}

type Column<T, D> = { readonly [K in keyof T as D extends keyof T[K] ? K : never]: D extends keyof T[K] ? T[K][D] : never }

interface AnyCell {
  readonly names: readonly string[]
  readonly read: (body: object, current: object | undefined) => unknown
  readonly write: (value: unknown, model: object) => object
}

/** Types cannot follow a table that is read by name, so they are given up here and nowhere else. */
export function fieldTable<Model extends object, S extends Record<DialectName, Shape>>() {
  return <const T extends Table<Model, S>>(table: T) => {
    const rows = Object.entries(table) as (readonly [string, Partial<Record<DialectName, unknown>>])[]
    const column = (dialect: DialectName): unknown => {
      const cells = rows.flatMap(([member, row]) => (dialect in row ? [[member, toCell(row[dialect], IS_ABSENT[dialect])] as const] : []))
      return {
        names: cells.flatMap(([, { names }]) => names),
        read(body: object, current?: object): object {
          const values = cells.map(([member, { names, read }]) => [member, read(pick(body, names), current)] as const)
          return Object.fromEntries(values.filter(([, value]) => value !== undefined))
        },
        write: (model: object): object =>
          Object.assign({}, ...cells.map(([member, { write }]) => write(Reflect.get(model, member), model))),
      }
    }
    return Object.fromEntries(DIALECTS.map((dialect) => [dialect, column(dialect)])) as {
      readonly [D in DialectName]: Fields<S[D]['body'], S[D]['view'], Model, Column<T, D>>
    }
  }
}

function toCell(cell: unknown, isAbsent: (value: unknown) => boolean): AnyCell {
  if (typeof cell === 'string') return toCell({ name: cell, read: itself, write: itself }, isAbsent)
  const { name, read, write } = cell as {
    name: string | null
    read: (value: unknown) => unknown
    write: (value: unknown, model: object) => unknown
  }
  if (name === null) return cell as AnyCell
  return {
    names: [name],
    read(body) {
      const value: unknown = Reflect.get(body, name)
      return isAbsent(value) ? undefined : read(value)
    },
    write: (value, model) => ({ [name]: write(value, model) }),
  }
}

const itself = (value: unknown): unknown => value

function pick(body: object, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(body, name) as unknown]))
}

/** Seconds in the dialect. */
export const seconds = { read: (value: number) => value * 1000, write: (ms: number) => ms / 1000 }

/** An empty text in the dialect clears. */
export const textOrNull = (text: string): string | null => text || null

/** `US-CA-2, US-IL-1` → the items without blanks; nothing for an empty text. */
export function splitCommas(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
