// /networkvolumes (management §2.3). Flash parses the reply strictly: these four members and no other (flash-api §4.3).
import type { Volume } from '@runyard/schema'
import type { V1VolumeView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, v1Routes } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'

function volumeReply({ id, name, sizeGb, dataCenterId }: Volume): V1VolumeView {
  return { id, name, size: sizeGb, dataCenterId: dataCenterId ?? '' }
}

export function registerVolumeRoutes(app: RestApp, { volumes }: Pick<ManagementModel, 'volumes'>): void {
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => volumes.get(ownerId, id) })
  route('GET /v1/networkvolumes', async (request) => (await volumes.list(keyOf(request).ownerId, 'network')).map(volumeReply))

  route('POST /v1/networkvolumes', async (request) => {
    const { name, size: sizeGb, dataCenterId } = request.body
    return volumeReply(await volumes.add(keyOf(request).ownerId, { name, sizeGb, dataCenterId }))
  })

  route('GET /v1/networkvolumes/:id', async (request) => volumeReply(await volumes.get(keyOf(request).ownerId, request.params.id)))

  for (const key of ['PATCH /v1/networkvolumes/:id', 'POST /v1/networkvolumes/:id/update'] as const) {
    ownRoute(key, async (request) => {
      const { name, size } = request.body
      return volumeReply(await volumes.change(keyOf(request).ownerId, request.params.id, { name, sizeGb: size }))
    })
  }

  ownRoute('DELETE /v1/networkvolumes/:id', async (request, reply) => {
    await volumes.remove(keyOf(request).ownerId, request.params.id)
    return reply.code(204).send()
  })
}
