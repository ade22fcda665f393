// How the fields of a dialect correspond to the model's, as tables: one row per field, by its name in the model. A row is the dialect's name
// where both have the same value, or the name with how to read and how to write the value. One row serves both directions, so a field that
// is read is also written.

type Given<T> = Exclude<T, null | undefined>

/** `Body` is what clients send, `View` what they get. */
type Row<Body, View, Model, K extends keyof Model> = {
  [N in keyof Body & keyof View]:
    | (Given<Body[N]> extends Given<Model[K]> ? (Model[K] extends View[N] ? N : never) : never)
    | {
        readonly name: N
        /** Undefined: the value says nothing. */
        readonly read: (value: Given<Body[N]>) => Given<Model[K]> | undefined | (null extends Model[K] ? null : never)
        /** Undefined: the field is left out. */
        readonly write: (value: Model[K], model: Model) => View[N]
      }
}[keyof Body & keyof View]

type Table<Body, View, Model> = { readonly [K in keyof Model]?: Row<Body, View, Model, K> }

type NameIn<R> = R extends { readonly name: infer N } ? N : R

interface FieldRow {
  readonly name: string
  readonly read: (value: never) => unknown
  readonly write: (value: never, model: never) => unknown
}

/** `isAbsent`: which value of a body stands for a field that is not given; by default undefined alone, since null clears. */
export function fieldsOf<Body extends object, View, Model extends object>(isAbsent = (value: unknown): boolean => value === undefined) {
  return <const T extends Table<Body, View, Model>>(table: T) => {
    const rows = Object.entries(table).map(([member, row]) => ({ member, ...toRow(row) }))
    return {
      /** Their names in the dialect. */
      names: rows.map(({ name }) => name),
      /** The members of the model that the body gives. */
      read(body: Body): Partial<Pick<Model, keyof T & keyof Model>> {
        const given = rows.filter(({ name }) => !isAbsent(Reflect.get(body, name)))
        const members = given.map(({ member, name, read }) => [member, read(Reflect.get(body, name) as never)] as const)
        // A mapped type cannot be built member by member.
        return Object.fromEntries(members.filter(([, value]) => value !== undefined)) as Partial<Pick<Model, keyof T & keyof Model>>
      },
      /** The dialect's fields of the model. */
      write(model: Model): { [K in keyof T as NameIn<T[K]> & string]: View[NameIn<T[K]> & keyof View] } {
        const fields = rows.map(({ member, name, write }) => [name, write(Reflect.get(model, member) as never, model as never)])
        return Object.fromEntries(fields) as { [K in keyof T as NameIn<T[K]> & string]: View[NameIn<T[K]> & keyof View] }
      },
    }
  }
}

const itself = (value: unknown): unknown => value

function toRow(row: unknown): FieldRow {
  return typeof row === 'string' ? { name: row, read: itself, write: itself } : (row as FieldRow)
}

/** For dialects in which null means "not given". */
export const isNone = (value: unknown): boolean => value == null

/** Seconds in the dialect. */
export const seconds = { read: (value: number) => value * 1000, write: (ms: number) => ms / 1000 }

/** An empty text in the dialect clears. */
export const textOrNull = (text: string): string | null => text || null
