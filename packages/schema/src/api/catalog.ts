// The catalogue of GPU types (management §3.5).
import { z } from 'zod'
import { Pagination } from './shared.ts'

const Counts = z.object({ secure: z.number(), community: z.number() })

/** The spec's `product` is not asked for: one client leaves it out (management §3.2). */
export const CatalogQuery = z.object({ include: z.string().optional().describe('`AVAILABILITY` adds `availability`.') })

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
    availability: z.enum(['NONE', 'HIGH']).optional(),
  })
  .meta({ id: 'GpuType' })
export type GpuTypeView = z.infer<typeof GpuTypeView>

export const GpuTypeListView = z.object({ gpus: z.array(GpuTypeView), pagination: Pagination }).meta({ id: 'GpuTypeList' })
