// The shapes of volumes in REST v2 (management §3.5, production §3.5) and v1 (management §2.3). Clients parse v1 replies strictly: no further member.
import { z } from 'zod'
import { DATA_CENTERS, DEFAULT_DATA_CENTER, NETWORK_VOLUME_KINDS, VOLUME_KINDS } from '../volume.ts'
import { tagged } from './operation.ts'
import { DateTime, IdParams, Pagination } from './shared.ts'

const SIZE = z.int().min(1).max(4096).describe('GB. A promise of yours: it is not enforced.')
const CENTER = z.enum(DATA_CENTERS, { error: `a data center is one of ${DATA_CENTERS.join(', ')}` })

export const CreateNetworkVolumeBody = z
  .strictObject({
    name: z.string().min(1),
    size: SIZE,
    dataCenter: CENTER.default(DEFAULT_DATA_CENTER),
    type: z.enum(NETWORK_VOLUME_KINDS).optional(),
  })
  .meta({ id: 'CreateNetworkVolumeBody' })

export const UpdateNetworkVolumeBody = z
  .strictObject({ name: z.string().min(1).optional(), size: SIZE.optional() })
  .meta({ id: 'UpdateNetworkVolumeBody', description: 'A size only grows.' })

export const NetworkVolumeView = z
  .object({ id: z.string(), name: z.string(), size: z.int(), dataCenter: z.string(), type: z.enum(NETWORK_VOLUME_KINDS) })
  .meta({ id: 'NetworkVolume' })
export type NetworkVolumeView = z.infer<typeof NetworkVolumeView>

export const NetworkVolumeListView = z
  .object({ networkVolumes: z.array(NetworkVolumeView), pagination: Pagination })
  .meta({ id: 'NetworkVolumeList' })

export const CreateGlobalVolumeBody = z.strictObject({ name: z.string().min(1) }).meta({ id: 'CreateGlobalVolumeBody' })
export const GlobalVolumeView = z
  .object({ id: z.string(), name: z.string() })
  .meta({ id: 'GlobalVolume', description: 'A volume that belongs to no data center.' })
export const GlobalVolumeListView = z
  .object({ globalVolumes: z.array(GlobalVolumeView), pagination: Pagination })
  .meta({ id: 'GlobalVolumeList' })

export const V1CreateVolumeBody = z
  .strictObject({ name: z.string().min(1), size: SIZE, dataCenterId: CENTER.default(DEFAULT_DATA_CENTER) })
  .meta({ id: 'CreateNetworkVolumeInput' })
export const V1UpdateVolumeBody = z
  .strictObject({ name: z.string().min(1).optional(), size: SIZE.optional() })
  .meta({ id: 'UpdateNetworkVolumeInput' })
export const V1VolumeView = z
  .object({ id: z.string(), name: z.string(), size: z.int(), dataCenterId: z.string() })
  .meta({ id: 'NetworkVolumeV1' })
export type V1VolumeView = z.infer<typeof V1VolumeView>

/** Ours: both kinds of volumes, with where their data is and who uses them. */
export const VolumeView = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(VOLUME_KINDS),
    size: z.int().nullable().describe('GB, as promised; null: a global volume has none'),
    dataCenter: z.string().nullable(),
    place: z.string().nullable().describe('the host that has the data, or `shared` and the data center; null: no worker has used it yet'),
    endpoints: z.array(z.object({ id: z.string(), name: z.string() })),
    createdAt: DateTime,
  })
  .meta({ id: 'Volume', description: 'A volume, and where its data is.' })
export type VolumeView = z.infer<typeof VolumeView>

export const VolumeListView = z.object({ volumes: z.array(VolumeView), pagination: Pagination }).meta({ id: 'VolumeList' })
export type VolumeListView = z.infer<typeof VolumeListView>

export const VOLUME_OPERATIONS = tagged('volumes', {
  'GET /v2/network-volumes': { id: 'listNetworkVolumes', summary: 'List network volumes, oldest first', reply: NetworkVolumeListView },
  'POST /v2/network-volumes': {
    id: 'createNetworkVolume',
    summary: 'Create a network volume',
    description: 'One of the same name, size and data center is returned instead of a second one.',
    body: CreateNetworkVolumeBody,
    replies: { 201: NetworkVolumeView },
  },
  'GET /v2/network-volumes/:id': {
    id: 'getNetworkVolume',
    summary: 'Read a network volume',
    params: IdParams,
    reply: NetworkVolumeView,
  },
  'PATCH /v2/network-volumes/:id': {
    id: 'updateNetworkVolume',
    summary: 'Rename a network volume, or make it larger',
    params: IdParams,
    body: UpdateNetworkVolumeBody,
    reply: NetworkVolumeView,
  },
  'DELETE /v2/network-volumes/:id': {
    id: 'deleteNetworkVolume',
    summary: 'Delete a network volume that no endpoint uses, with its data',
    params: IdParams,
    other: { 204: null },
  },
  'GET /v2/global-volumes': { id: 'listGlobalVolumes', summary: 'List global volumes, oldest first', reply: GlobalVolumeListView },
  'POST /v2/global-volumes': {
    id: 'createGlobalVolume',
    summary: 'Create a global volume',
    body: CreateGlobalVolumeBody,
    replies: { 201: GlobalVolumeView },
  },
  'GET /runyard/v1/volumes': {
    id: 'listVolumes',
    summary: 'List volumes of both kinds, oldest first',
    description: 'With the place of their data and the endpoints that use them.',
    reply: VolumeListView,
  },
  'DELETE /v2/global-volumes/:id': {
    id: 'deleteGlobalVolume',
    summary: 'Delete a global volume that no endpoint uses, with its data',
    params: IdParams,
    other: { 204: null },
  },
})
