// /v2/catalog: every GPU type that has a name of its own, also without a pool, the CPU flavors, and the data centers of the hosts (management §3.5).
// Prices are 0, because the GPUs are the operator's. The stock is what the scaler last reported (`stock.ts`), because only the scaler knows the
// hosts. SDK 2 places a new volume in a data center where each device is listed with a stock (sdk2-api §3.6).
import { CPU_FLAVORS, makerOf, type GpuCatalogue, type GpuType } from '@runyard/core'
import { NETWORK_VOLUME_KINDS, RunyardError } from '@runyard/schema'
import { ONE_PAGE, type CpuFlavorView, type DataCenterView, type GpuTypeView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { DataCenter, ReadDataCenters } from '../data-centers.ts'
import type { ManagementModel } from '../model.ts'
import { createStock } from '../stock.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export interface CatalogDeps {
  readonly model: Pick<ManagementModel, 'list'>
  readonly catalogue: GpuCatalogue
  readonly readDataCenters: ReadDataCenters
  readonly store: Pick<Store, 'status'>
}

export function registerCatalogRoutes(app: RestApp, deps: CatalogDeps): void {
  registerGpuRoutes(app, deps)
  registerCpuRoutes(app, deps)
  registerDataCenterRoutes(app, deps)
}

function registerGpuRoutes(app: RestApp, deps: CatalogDeps): void {
  const route = restRoutes(app)
  const readStock = createStock(deps)
  const describe = async (types: readonly GpuType[], ownerId: string, include: string | undefined) => {
    if (include !== 'AVAILABILITY') return types.map(gpuTypeReply)
    const [stockOf, centers] = await Promise.all([readStock(ownerId), deps.readDataCenters()])
    const isMissing = ({ id, pool }: GpuType): boolean => stockOf(id) === null || (pool !== null && stockOf(pool) === null)
    return types.map((type) => ({
      ...gpuTypeReply(type),
      ...stockIn(isMissing(type) ? [] : centers.filter(({ hasGpu }) => hasGpu(type.id)), isMissing(type)),
    }))
  }

  route('GET /v2/catalog/gpus', async (request) => ({
    gpus: await describe(deps.catalogue.types, keyOf(request).ownerId, request.query.include),
    pagination: ONE_PAGE,
  }))

  route('GET /v2/catalog/gpus/:id', async (request) => {
    const type = deps.catalogue.find(request.params.id)
    const [found] = await describe(type === undefined ? [] : [type], keyOf(request).ownerId, request.query.include)
    if (found === undefined) throw new RunyardError('not_found', `GPU type "${request.params.id}" was not found in the catalogue.`)
    return found
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

/** As many as an instance id can name; a host's own size is the limit. */
const VCPUS = { min: 2, max: 512 }
const NO_PRICE = { securePerVcpu: 0, serverlessPerVcpu: 0 }

const nameOf = ({ id }: DataCenter) => ({ id, name: id, availability: 'HIGH' as const })

/** Where a worker could run one day; a card that is taken now becomes free. */
function stockIn(centers: readonly DataCenter[], isMissing: boolean): Pick<GpuTypeView, 'availability' | 'dataCenters'> {
  return { availability: isMissing ? 'NONE' : 'HIGH', dataCenters: centers.map(nameOf) }
}

function registerCpuRoutes(app: RestApp, { readDataCenters }: CatalogDeps): void {
  const route = restRoutes(app)
  const describe = async (ids: readonly string[], include: string | undefined): Promise<CpuFlavorView[]> => {
    const stock = include === 'AVAILABILITY' ? stockIn(await readDataCenters(), false) : {}
    return ids.map((id) => ({ id, name: id, group: id, vcpu: VCPUS, ramGbPerVcpu: CPU_FLAVORS[id] ?? 0, price: NO_PRICE, ...stock }))
  }

  route('GET /v2/catalog/cpus', async (request) => ({
    cpus: await describe(Object.keys(CPU_FLAVORS), request.query.include),
    pagination: ONE_PAGE,
  }))

  route('GET /v2/catalog/cpus/:id', async (request) => {
    const { id } = request.params
    const [found] = await describe(Object.hasOwn(CPU_FLAVORS, id) ? [id] : [], request.query.include)
    if (found === undefined) throw new RunyardError('not_found', `CPU flavor "${id}" was not found in the catalogue.`)
    return found
  })
}

function registerDataCenterRoutes(app: RestApp, { readDataCenters, catalogue }: CatalogDeps): void {
  const route = restRoutes(app)
  const describe = ({ id, hasGpu }: DataCenter, include: string | undefined): DataCenterView => {
    const cpus = Object.keys(CPU_FLAVORS).map((flavor) => ({ id: flavor, name: flavor, availability: 'HIGH' as const }))
    const gpus = catalogue.types.filter((type) => hasGpu(type.id))
    return {
      id,
      name: id,
      region: REGIONS[regionOf(id)] ?? 'UNKNOWN',
      globalNetwork: false,
      networkVolumeTypes: [...NETWORK_VOLUME_KINDS],
      compliance: [],
      ...(include === undefined
        ? {}
        : { gpuAvailability: gpus.map((type) => ({ id: type.id, name: type.displayName, availability: 'HIGH' })), cpuAvailability: cpus }),
    }
  }

  route('GET /v2/catalog/datacenters', async (request) => ({
    dataCenters: (await readDataCenters()).map((center) => describe(center, request.query.include)),
    pagination: ONE_PAGE,
  }))

  route('GET /v2/catalog/datacenters/:id', async (request) => {
    const found = (await readDataCenters()).find(({ id }) => id === request.params.id)
    if (found === undefined) throw new RunyardError('not_found', `No host is in the data center "${request.params.id}".`)
    return describe(found, request.query.include)
  })
}

const REGIONS: Readonly<Record<string, string>> = {
  EU: 'EUROPE',
  EUR: 'EUROPE',
  US: 'NORTH_AMERICA',
  CA: 'NORTH_AMERICA',
  SA: 'SOUTH_AMERICA',
  AP: 'ASIA',
  OC: 'OCEANIA',
  ME: 'MIDDLE_EAST',
  AF: 'AFRICA',
}

/** `EUR-NO-1` → `EUR`. */
export function regionOf(dataCenterId: string): string {
  return dataCenterId.slice(0, dataCenterId.indexOf('-'))
}
