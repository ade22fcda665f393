// /networkvolumes (management §2.3). Flash parses the reply strictly: these four members and no other (flash-api §4.3).
import type { Volume } from '@runyard/schema'
import type { V1VolumeView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, v1Route } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'

function volumeReply({ id, name, sizeGb, dataCenterId }: Volume): V1VolumeView {
  return { id, name, size: sizeGb, dataCenterId: dataCenterId ?? '' }
}

export function registerVolumeRoutes(app: RestApp, { volumes }: Pick<ManagementModel, 'volumes'>): void {
  app.route({
    ...v1Route('GET /v1/networkvolumes'),
    handler: async (request) => (await volumes.list(keyOf(request).ownerId, 'network')).map(volumeReply),
  })

  app.route({
    ...v1Route('POST /v1/networkvolumes'),
    handler: async (request) => {
      const { name, size: sizeGb, dataCenterId } = request.body
      return volumeReply(await volumes.add(keyOf(request).ownerId, { name, sizeGb, dataCenterId }))
    },
  })

  app.route({
    ...v1Route('GET /v1/networkvolumes/:id'),
    handler: async (request) => volumeReply(await volumes.get(keyOf(request).ownerId, request.params.id)),
  })

  for (const key of ['PATCH /v1/networkvolumes/:id', 'POST /v1/networkvolumes/:id/update'] as const) {
    app.route({
      ...v1Route(key),
      config: { find: (ownerId, id) => volumes.get(ownerId, id) },
      handler: async (request) => {
        const { name, size } = request.body
        return volumeReply(await volumes.change(keyOf(request).ownerId, request.params.id, { name, sizeGb: size }))
      },
    })
  }

  registerRemoval(app, {
    route: v1Route('DELETE /v1/networkvolumes/:id'),
    find: (ownerId, id) => volumes.get(ownerId, id),
    remove: (ownerId, id) => volumes.remove(ownerId, id),
  })
}
