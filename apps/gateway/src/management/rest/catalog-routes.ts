// /v2/catalog/gpus: every GPU type that has a name of its own, also without a pool (management §3.5). Prices are 0, because the GPUs are the
// operator's. The stock is what the scaler last reported (`stock.ts`), because only the scaler knows the hosts.
import { makerOf, type GpuCatalogue, type GpuType } from '@runyard/core'
import { RunyardError } from '@runyard/schema'
import { type GpuTypeView, ONE_PAGE } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { ManagementModel } from '../model.ts'
import { createStock } from '../stock.ts'
import { keyOf, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'

export interface CatalogDeps {
  readonly model: Pick<ManagementModel, 'list'>
  readonly catalogue: GpuCatalogue
  readonly store: Pick<Store, 'status'>
}

export function registerCatalogRoutes(app: RestApp, deps: CatalogDeps): void {
  const readStock = createStock(deps)
  const describe = async (types: readonly GpuType[], ownerId: string, include: string | undefined) => {
    if (include !== 'AVAILABILITY') return types.map(gpuTypeReply)
    const stockOf = await readStock(ownerId)
    const isMissing = ({ id, pool }: GpuType): boolean => stockOf(id) === null || (pool !== null && stockOf(pool) === null)
    return types.map((type) => ({ ...gpuTypeReply(type), availability: isMissing(type) ? ('NONE' as const) : ('HIGH' as const) }))
  }

  app.route({
    ...restRoute('GET /v2/catalog/gpus'),
    handler: async (request) => ({
      gpus: await describe(deps.catalogue.types, keyOf(request).ownerId, request.query.include),
      pagination: ONE_PAGE,
    }),
  })

  app.route({
    ...restRoute('GET /v2/catalog/gpus/:id'),
    handler: async (request) => {
      const type = deps.catalogue.find(request.params.id)
      const [found] = await describe(type === undefined ? [] : [type], keyOf(request).ownerId, request.query.include)
      if (found === undefined) throw new RunyardError('not_found', `GPU type "${request.params.id}" was not found in the catalogue.`)
      return found
    },
  })
}

function gpuTypeReply({ id, displayName, pool, memoryGb, maxCount }: GpuType): GpuTypeView {
  return {
    id,
    name: displayName,
    pool,
    manufacturer: makerOf(id),
    memory: memoryGb,
    secure: true,
    community: false,
    price: { secure: 0, community: 0 },
    maxCount: { secure: maxCount, community: 0 },
  }
}
