// Changes that are decided on a snapshot of all endpoints, templates and registries, and written as a whole or not at all: a crash leaves no
// endpoint behind its template, and nobody removes what somebody else begins to use in the same moment.
import type { Endpoint } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { MAX_TRIES, tooBusy } from './endpoints.ts'
import { namesBegin, ownedBy, recordsHave } from './owned.ts'
import { readEndpoint, readTemplate } from '../data/records.ts'
import { toRegistry } from './registry-record.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, row, text } from '../scripts/replies.ts'
import { ownedLua } from './endpoint-lists.ts'
import type { Library } from '../types.ts'

const readScript = defineScript({
  name: 'readLibrary',
  lua: new URL('./read-library.lua', import.meta.url),
  uses: [ownedLua],
  keys: ['revision', 'templates', 'endpoints', 'registries', 'names'],
  args: { namesBegin: 'text', text: 'text' },
  reply: row({ revision: text, templates: list(text), endpoints: list(text), registries: list(text) }),
})

const writeScript = defineScript(
  {
    name: 'writeLibrary',
    lua: new URL('./write-library.lua', import.meta.url),
    keys: ['revision', 'templates', 'endpoints', 'registries'],
    /** The writes as three lists; an empty record is removed. */
    args: { expectedRevision: 'text', to: 'texts', fields: 'texts', records: 'texts', changed: 'signals' },
    reply: flag,
  },
  { changed: (isWritten) => isWritten },
)

export const listHavingScript = defineScript({
  name: 'listHaving',
  lua: new URL('./list-having.lua', import.meta.url),
  uses: [ownedLua],
  keys: ['records'],
  args: { text: 'text' },
  reply: list(text),
})

export interface LibraryWrite {
  readonly to: 'templates' | 'endpoints' | 'registries'
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

export function createChangeLibrary({ keys, run }: Pick<StoreContext, 'keys' | 'run'>): ChangeLibrary {
  const touched = { revision: keys.revision, templates: keys.templates, endpoints: keys.endpoints.records, registries: keys.registries }
  return async (decide, ownerId) => {
    const all = { namesBegin: '', text: '' }
    const owned = ownerId === undefined ? all : { namesBegin: namesBegin(ownerId), text: recordsHave(ownerId) }
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const { revision, templates, endpoints, registries } = await run(readScript, { ...touched, names: keys.endpoints.names, ...owned })
      const { result, writes, changed } = decide({
        templates: ownedBy(ownerId, templates.map(readTemplate)),
        endpoints: endpoints.map(readEndpoint),
        registries: ownedBy(ownerId, registries.map(toRegistry)),
      })
      const signals = changed.map(({ id }) => ({ kind: 'endpoint-changed', endpointId: id }) as const)
      const isWritten = await run(writeScript, { ...touched, expectedRevision: revision, ...toLists(writes), changed: signals })
      if (isWritten) return result
    }
    throw tooBusy()
  }
}

function toLists(writes: readonly LibraryWrite[]) {
  const records = writes.map(({ record }) => (record === undefined ? '' : JSON.stringify(record)))
  return { to: writes.map(({ to }) => to), fields: writes.map(({ field }) => field), records }
}
