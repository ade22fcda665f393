// For tests: resources saved by the guarded write, with randomness and a hash that are none.
import type { Environment, StoredRegistry, Template } from '@runyard/schema'
import type { Store } from '../types.ts'

export const SAVE = { now: 2, randomText: () => 'random', sha256: (text: string) => text }

type Resources = Pick<Store, 'resources'>

/** Creates it, or replaces the one of that id. */
export async function saveTemplate({ resources: { templates } }: Resources, record: Template): Promise<Template> {
  const current = await templates.find(record.ownerId, record.id)
  return templates.save({ ...SAVE, ownerId: record.ownerId, id: current?.id, edit: () => record })
}

/** Of an app of that owner. */
export async function saveEnvironment({ resources: { apps, environments } }: Resources, id: string, ownerId = 'owner'): Promise<void> {
  const app = { id: `app-${id}`, name: `app-${id}`, ownerId, createdAt: 1 }
  const environment: Environment = { id, name: 'production', ownerId, appId: app.id, activeBuildId: null, createdAt: 1 }
  await apps.save({ ...SAVE, ownerId, id: undefined, edit: () => app })
  await environments.save({ ...SAVE, ownerId, id: undefined, edit: () => environment })
}

export async function saveRegistry({ resources: { registries } }: Resources, record: StoredRegistry): Promise<void> {
  const current = await registries.find(record.ownerId, record.id)
  await registries.save({ ...SAVE, ownerId: record.ownerId, id: current?.id, edit: () => record })
}
