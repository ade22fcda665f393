// /v2/network-volumes and /v2/global-volumes (management §3.5, production §3.5), and /runyard/v1/volumes for both with their places.
import { hostOfStore } from '@runyard/core'
import type { Endpoint, Volume } from '@runyard/schema'
import { ONE_PAGE, type NetworkVolumeView, type VolumeView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

type Deps = Pick<ManagementModel, 'volumes'>

function volumeReply({ id, name, sizeGb, dataCenterId, kind }: Volume): NetworkVolumeView {
  return { id, name, size: sizeGb, dataCenter: dataCenterId ?? '', type: kind === 'HIGH_PERFORMANCE' ? kind : 'STANDARD' }
}

export function registerVolumeRoutes(app: RestApp, { volumes }: Deps): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => volumes.get(ownerId, id) })
  route('GET /v2/network-volumes', async (request) => ({
    networkVolumes: (await volumes.list(keyOf(request).ownerId, 'network')).map(volumeReply),
    pagination: ONE_PAGE,
  }))

  route('POST /v2/network-volumes', async (request) => {
    const { name, size: sizeGb, dataCenter: dataCenterId, type: kind } = request.body
    return volumeReply(await volumes.add(keyOf(request).ownerId, { name, sizeGb, dataCenterId, kind }))
  })

  route('GET /v2/network-volumes/:id', async (request) => volumeReply(await volumes.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('PATCH /v2/network-volumes/:id', async (request) => {
    const { name, size } = request.body
    return volumeReply(await volumes.change(keyOf(request).ownerId, request.params.id, { name, sizeGb: size }))
  })

  ownRoute('DELETE /v2/network-volumes/:id', (request) => volumes.remove(keyOf(request).ownerId, request.params.id))

  // Global ones are of SDK 2 alone, which only lists and creates them; the removal is ours.
  route('GET /v2/global-volumes', async (request) => ({
    globalVolumes: (await volumes.list(keyOf(request).ownerId, 'global')).map(({ id, name }) => ({ id, name })),
    pagination: ONE_PAGE,
  }))

  route('POST /v2/global-volumes', async (request) => {
    const { id, name } = await volumes.add(keyOf(request).ownerId, { name: request.body.name, kind: 'GLOBAL' })
    return { id, name }
  })

  ownRoute('DELETE /v2/global-volumes/:id', (request) => volumes.remove(keyOf(request).ownerId, request.params.id))
}

interface PlacedDeps extends Deps {
  readonly store: Pick<Store, 'hosts' | 'volumes' | 'endpoints'>
}

/** Ours, for `runyard volumes`. Tasks count as users, too. */
export function registerPlacedVolumes(app: RestApp, { volumes, store }: PlacedDeps): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/volumes', async (request) => {
    const { ownerId } = keyOf(request)
    const [found, endpoints, stores, hosts] = await Promise.all([
      volumes.list(ownerId),
      store.endpoints.list(ownerId),
      store.volumes.stores(),
      store.hosts.list(),
    ])
    const labels = new Map(hosts.map(({ hostId, sight }) => [hostId, sight?.label ?? hostId]))
    const usersOf = (volumeId: string) => endpoints.filter(({ spec }) => spec.networkVolumeIds.includes(volumeId))
    const listed = found.map((volume) => placedReply(volume, { storeId: stores.get(volume.id), labels, users: usersOf(volume.id) }))
    return { volumes: listed, pagination: ONE_PAGE }
  })
}

interface Place {
  readonly storeId: string | undefined
  readonly labels: ReadonlyMap<string, string>
  readonly users: readonly Endpoint[]
}

function placedReply(
  { id, name, kind, sizeGb, dataCenterId: dataCenter, createdAt }: Volume,
  { storeId, labels, users }: Place,
): VolumeView {
  const hostId = storeId === undefined ? undefined : hostOfStore(storeId)
  return {
    id,
    name,
    kind,
    size: kind === 'GLOBAL' ? null : sizeGb,
    dataCenter,
    place: hostId === undefined ? (storeId ?? null) : (labels.get(hostId) ?? hostId),
    endpoints: users.map((endpoint) => ({ id: endpoint.id, name: endpoint.name })),
    createdAt: new Date(createdAt).toISOString(),
  }
}
