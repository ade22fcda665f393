// Changes that are decided on a snapshot of all endpoints, templates and registries, and written as a whole or not at all: a crash leaves no
// endpoint behind its template, and nobody removes what somebody else begins to use in the same moment.
import type { Endpoint } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { MAX_TRIES, tooBusy } from './endpoints.ts'
import { namesBegin, ownedBy, recordsHave } from './owned.ts'
import { readEndpoint, readTemplate } from '../data/records.ts'
import { toRegistry } from './registry-record.ts'
import { READ_LIBRARY, WRITE_LIBRARY } from '../scripts/library.ts'
import type { Library } from '../types.ts'

/** The numbers of the scripts' keys. */
const KEY_NUMBERS = { templates: 2, endpoints: 3, registries: 4 } as const

export interface LibraryWrite {
  readonly to: keyof typeof KEY_NUMBERS
  readonly field: string
  /** Undefined: it is removed. */
  readonly record: object | undefined
}

export interface LibraryChange<T> {
  readonly result: T
  readonly writes: readonly LibraryWrite[]
  /** Endpoints that are to be looked at again. */
  readonly changed: readonly Pick<Endpoint, 'id'>[]
}

/** With an owner, `decide` sees that one's records alone. */
export type ChangeLibrary = <T>(decide: (library: Library) => LibraryChange<T>, ownerId?: string) => Promise<T>

export function createChangeLibrary({ keys, run, signals }: Pick<StoreContext, 'keys' | 'run' | 'signals'>): ChangeLibrary {
  const touched = [keys.revision, keys.templates, keys.endpoints.records, keys.registries]
  return async (decide, ownerId) => {
    const owned = ownerId === undefined ? ['', ''] : [namesBegin(ownerId), recordsHave(ownerId)]
    const read = () => run(READ_LIBRARY, [...touched, keys.endpoints.names], owned)
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const [revision, templates, endpoints, registries] = (await read()) as [string, string[], string[], string[]]
      const { result, writes, changed } = decide({
        templates: ownedBy(ownerId, templates.map(readTemplate)),
        endpoints: endpoints.map(readEndpoint),
        registries: ownedBy(ownerId, registries.map(toRegistry)),
      })
      const news = changed.map(({ id }) => ({ kind: 'endpoint-changed', endpointId: id }) as const)
      const told = [signals.channel, news.length, ...news.map((signal) => signals.encode(signal))]
      if ((await run(WRITE_LIBRARY, touched, [revision, ...told, ...writes.flatMap(toArguments)])) !== 1) continue
      for (const signal of news) signals.deliver(signal)
      return result
    }
    throw tooBusy()
  }
}

function toArguments({ to, field, record }: LibraryWrite): readonly string[] {
  return [String(KEY_NUMBERS[to]), field, record === undefined ? '' : JSON.stringify(record)]
}
