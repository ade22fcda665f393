// For tests: resources saved by the guarded write, with randomness and a hash that are none.
import type { StoredRegistry, Template } from '@runyard/schema'
import type { Store } from '../types.ts'

export const SAVE = { now: 2, randomText: () => 'random', sha256: (text: string) => text }

type Resources = Pick<Store, 'resources'>

/** Creates it, or replaces the one of that id. */
export async function saveTemplate({ resources: { templates } }: Resources, record: Template): Promise<Template> {
  const current = await templates.find(record.ownerId, record.id)
  return templates.save({ ...SAVE, ownerId: record.ownerId, id: current?.id, edit: () => record })
}

export async function saveRegistry({ resources: { registries } }: Resources, record: StoredRegistry): Promise<void> {
  const current = await registries.find(record.ownerId, record.id)
  await registries.save({ ...SAVE, ownerId: record.ownerId, id: current?.id, edit: () => record })
}
