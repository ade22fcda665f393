// The catalogue of GPU types, CPU flavors and data centers (management §3.5).
import { z } from 'zod'
import { Pagination } from './shared.ts'

const Counts = z.object({ secure: z.number(), community: z.number() })

/** The spec's `product` is not asked for: one client leaves it out (management §3.2). */
export const CatalogQuery = z.object({ include: z.string().optional().describe('`AVAILABILITY` adds `availability`.') })

const Availability = z.enum(['NONE', 'HIGH'])
const InDataCenters = z
  .array(z.object({ id: z.string(), name: z.string(), availability: Availability }))
  .describe('Where it can be had.')
  .optional()

export const GpuTypeView = z
  .object({
    id: z.string(),
    name: z.string(),
    pool: z.string().nullable(),
    manufacturer: z.enum(['NVIDIA', 'AMD']),
    memory: z.int().describe('GB.'),
    secure: z.boolean(),
    community: z.boolean(),
    price: Counts.describe('Always 0: the cards are yours.'),
    maxCount: Counts,
    availability: Availability.optional(),
    dataCenters: InDataCenters,
  })
  .meta({ id: 'GpuType' })
export type GpuTypeView = z.infer<typeof GpuTypeView>

export const GpuTypeListView = z.object({ gpus: z.array(GpuTypeView), pagination: Pagination }).meta({ id: 'GpuTypeList' })
export type GpuTypeListView = z.infer<typeof GpuTypeListView>

export const CpuFlavorView = z
  .object({
    id: z.string(),
    name: z.string(),
    group: z.string(),
    vcpu: z.object({ min: z.int(), max: z.int() }),
    ramGbPerVcpu: z.int(),
    price: z.object({ securePerVcpu: z.number(), serverlessPerVcpu: z.number() }).describe('Always 0: the processors are yours.'),
    availability: Availability.optional(),
    dataCenters: InDataCenters,
  })
  .meta({ id: 'CpuFlavor' })
export type CpuFlavorView = z.infer<typeof CpuFlavorView>

export const CpuFlavorListView = z.object({ cpus: z.array(CpuFlavorView), pagination: Pagination }).meta({ id: 'CpuFlavorList' })

export const DataCenterView = z
  .object({
    id: z.string(),
    name: z.string(),
    region: z.string(),
    globalNetwork: z.boolean(),
    networkVolumeTypes: z.array(z.string()),
    compliance: z.array(z.string()),
    gpuAvailability: z.array(z.object({ id: z.string(), name: z.string(), availability: Availability })).optional(),
    cpuAvailability: z.array(z.object({ id: z.string(), name: z.string(), availability: Availability })).optional(),
  })
  .meta({ id: 'DataCenter', description: 'A label of hosts; volumes belong to one.' })
export type DataCenterView = z.infer<typeof DataCenterView>

export const DataCenterListView = z.object({ dataCenters: z.array(DataCenterView), pagination: Pagination }).meta({ id: 'DataCenterList' })
