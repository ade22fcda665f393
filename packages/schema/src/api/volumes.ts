// The shapes of volumes in REST v2 (management §3.5, production §3.5) and v1 (management §2.3). Clients parse v1 replies strictly: no further member.
import { z } from 'zod'
import { DATA_CENTERS, DEFAULT_DATA_CENTER, NETWORK_VOLUME_KINDS } from '../volume.ts'
import { Pagination } from './shared.ts'

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
