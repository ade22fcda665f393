// Credentials of image registries. User and password leave by `credentials` alone, for a pull; who can read Redis can read them (ADR 27).
import type { StoredRegistry } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createChangeLibrary, listHavingScript, type LibraryWrite } from './library.ts'
import { ownedBy, recordsHave } from './owned.ts'
import { readRegistry } from '../data/records.ts'
import { registryField, toRegistry } from './registry-record.ts'
import type { RegistryChange, RegistryStore } from '../types.ts'

export function createRegistryStore(context: StoreContext): RegistryStore {
  const { client, keys, run } = context
  const change = createChangeLibrary(context)
  const read = (ownerId: string, id: string) => client.hget(keys.registries, registryField(ownerId, id))

  return {
    async get(ownerId, id) {
      const text = await read(ownerId, id)
      return text === null ? undefined : toRegistry(text)
    },

    async list(ownerId) {
      const texts = await run(listHavingScript, { records: keys.registries, text: ownerId === undefined ? '' : recordsHave(ownerId) })
      return ownedBy(ownerId, texts.map(toRegistry))
    },

    async credentials(ownerId, id) {
      const text = await read(ownerId, id)
      if (text === null) return undefined
      const { name, username, password } = readRegistry(text)
      return { name, username, password }
    },

    change: (decide, ownerId) =>
      change((library) => {
        const decided = decide(library)
        return { result: decided.registry, writes: writesOf(decided), changed: decided.kind === 'saved' ? decided.users : [] }
      }, ownerId),
  }
}

function writesOf(change: RegistryChange): readonly LibraryWrite[] {
  const { registry } = change
  const field = registryField(registry.ownerId, registry.id)
  if (change.kind === 'saved') {
    return [{ to: 'registries', field, record: { ...registry, ...change.credentials } satisfies StoredRegistry }]
  }
  return [
    { to: 'registries', field, record: undefined },
    ...change.templates.map((template) => ({ to: 'templates' as const, field: template.id, record: template })),
  ]
}
