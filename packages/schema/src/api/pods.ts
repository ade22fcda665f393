// The tasks of SDK 2 as pods (sdk2-api §3.8, §4.6).
import { z } from 'zod'
import { DateTime, Pagination } from './shared.ts'

export const PodView = z
  .object({ id: z.string(), name: z.string(), image: z.string(), status: z.literal('RUNNING'), createdAt: DateTime, endsAt: DateTime })
  .meta({ id: 'Pod', description: 'A task of SDK 2.' })
export type PodView = z.infer<typeof PodView>

export const PodListView = z.object({ pods: z.array(PodView), pagination: Pagination }).meta({ id: 'PodList' })
