// /v2/network-volumes and /v2/global-volumes (management §3.5, production §3.5).
import type { Volume } from '@runyard/schema'
import { ONE_PAGE, type NetworkVolumeView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

type Deps = Pick<ManagementModel, 'volumes'>

function volumeReply({ id, name, sizeGb, dataCenterId, kind }: Volume): NetworkVolumeView {
  return { id, name, size: sizeGb, dataCenter: dataCenterId ?? '', type: kind === 'HIGH_PERFORMANCE' ? kind : 'STANDARD' }
}

export function registerVolumeRoutes(app: RestApp, { volumes }: Deps): void {
  app.route({
    ...restRoute('GET /v2/network-volumes'),
    handler: async (request) => ({
      networkVolumes: (await volumes.list(keyOf(request).ownerId, 'network')).map(volumeReply),
      pagination: ONE_PAGE,
    }),
  })

  app.route({
    ...restRoute('POST /v2/network-volumes'),
    handler: async (request, reply) => {
      const { name, size: sizeGb, dataCenter: dataCenterId, type: kind } = request.body
      return reply.code(201).send(volumeReply(await volumes.add(keyOf(request).ownerId, { name, sizeGb, dataCenterId, kind })))
    },
  })

  app.route({
    ...restRoute('GET /v2/network-volumes/:id'),
    handler: async (request) => volumeReply(await volumes.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    ...restRoute('PATCH /v2/network-volumes/:id'),
    config: { find: (ownerId, id) => volumes.get(ownerId, id) },
    handler: async (request) => {
      const { name, size } = request.body
      return volumeReply(await volumes.change(keyOf(request).ownerId, request.params.id, { name, sizeGb: size }))
    },
  })

  registerRemoval(app, {
    route: restRoute('DELETE /v2/network-volumes/:id'),
    find: (ownerId, id) => volumes.get(ownerId, id),
    remove: (ownerId, id) => volumes.remove(ownerId, id),
  })
  registerGlobalVolumeRoutes(app, { volumes })
}

/** Of SDK 2 alone, which only lists and creates them; the removal is ours. */
function registerGlobalVolumeRoutes(app: RestApp, { volumes }: Deps): void {
  app.route({
    ...restRoute('GET /v2/global-volumes'),
    handler: async (request) => ({
      globalVolumes: (await volumes.list(keyOf(request).ownerId, 'global')).map(({ id, name }) => ({ id, name })),
      pagination: ONE_PAGE,
    }),
  })

  app.route({
    ...restRoute('POST /v2/global-volumes'),
    handler: async (request, reply) => {
      const { id, name } = await volumes.add(keyOf(request).ownerId, { name: request.body.name, kind: 'GLOBAL' })
      return reply.code(201).send({ id, name })
    },
  })

  registerRemoval(app, {
    route: restRoute('DELETE /v2/global-volumes/:id'),
    find: (ownerId, id) => volumes.get(ownerId, id),
    remove: (ownerId, id) => volumes.remove(ownerId, id),
  })
}
