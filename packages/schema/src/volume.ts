// Volumes (ADR 71): directories that outlive workers, under a name. The data centers are labels of hosts; clients accept only these ids
// (flash-api §9.3).
import { z } from 'zod'

export const DATA_CENTERS = [
  'US-CA-2',
  'US-IL-1',
  'US-KS-2',
  'US-MO-1',
  'US-MO-2',
  'US-NC-2',
  'US-NE-1',
  'US-WA-1',
  'EU-CZ-1',
  'EU-RO-1',
  'EUR-NO-1',
] as const
export type DataCenterId = (typeof DATA_CENTERS)[number]

/** Of a host without a label. Flash asks for it where a script names none (production §3.5). */
export const DEFAULT_DATA_CENTER: DataCenterId = 'EU-RO-1'

/** Network volumes, of one data center, are the first two, which differ only in the word; global volumes are of none. */
export const VOLUME_KINDS = ['STANDARD', 'HIGH_PERFORMANCE', 'GLOBAL'] as const
export const NETWORK_VOLUME_KINDS = ['STANDARD', 'HIGH_PERFORMANCE'] as const

export const Volume = z.object({
  id: z.string(),
  /** Unique per owner, kind and data center. */
  name: z.string(),
  ownerId: z.string(),
  kind: z.enum(VOLUME_KINDS),
  /** As asked for; not enforced. 0: a global volume, which has none. */
  sizeGb: z.int().min(0),
  /** Null: a global volume. */
  dataCenterId: z.string().nullable(),
  createdAt: z.number(),
})
export type Volume = z.infer<typeof Volume>

/** Its record is deleted, or about to be; its data is removed in the background. */
export const VolumeRemoval = z.object({ id: z.string(), name: z.string(), ownerId: z.string(), at: z.number() })
export type VolumeRemoval = z.infer<typeof VolumeRemoval>
