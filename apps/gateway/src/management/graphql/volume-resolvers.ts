// Volumes and data centers in GraphQL: reads of get_user and runpodctl, and the global volumes of rc1 of SDK 2 (management §4, sdk2-api §7.4).
import type { GpuCatalogue } from '@runyard/core'
import type { Volume } from '@runyard/schema'
import type { DataCenter, ReadDataCenters } from '../data-centers.ts'
import { regionOf } from '../rest/catalog-routes.ts'
import type { VolumeModel } from '../volume-model.ts'
import type { EndpointReply } from './endpoint-change.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

const volumeReply = ({ id, name, sizeGb, dataCenterId }: Volume): Record<string, unknown> => ({ id, name, size: sizeGb, dataCenterId })

export function volumeResolvers(volumes: VolumeModel) {
  const list =
    (which: 'network' | 'global') =>
    async (_: unknown, { key, reads }: RequestContext) => {
      reads.step('read')
      return reads.rows(await volumes.list(key.ownerId, which)).map(volumeReply)
    }
  return {
    ofUser: { networkVolumes: list('network'), globalStoreBuckets: list('global') },
    ofEndpoint: {
      networkVolume: async ({ source }: EndpointReply, _: unknown, { key, reads }: RequestContext) => {
        const [id] = source.spec.networkVolumeIds
        if (id === undefined) return null
        reads.step('read')
        return volumeReply(await volumes.get(key.ownerId, id))
      },
    },
    mutations: {
      globalStoreBucketCreate: async ({ input }: { input: Input<'GlobalStoreBucketCreateInput'> }, { key }: RequestContext) =>
        volumeReply(await volumes.add(key.ownerId, { ...input, kind: 'GLOBAL' })),
    },
  }
}

export function dataCenterResolvers(catalogue: GpuCatalogue, readDataCenters: ReadDataCenters) {
  return {
    query: {
      dataCenters: async (_: unknown, { reads }: RequestContext) => {
        reads.step('read')
        return (await readDataCenters()).map((center) => ({ ...center, name: center.id, location: regionOf(center.id) }))
      },
    },
    DataCenter: {
      gpuAvailability: ({ hasGpu }: DataCenter, _: unknown, { reads }: RequestContext) =>
        reads
          .rows(catalogue.types.filter(({ id }) => hasGpu(id)))
          .map(({ id, displayName }) => ({ gpuTypeId: id, displayName, stockStatus: 'High' })),
    },
  }
}
