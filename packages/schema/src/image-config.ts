// Settings of the images on hosts (ADR 59).
import { z } from 'zod'

export const ImagesConfig = z.object({
  pullsAtOnce: z.coerce
    .number()
    .int()
    .min(1)
    .default(2)
    .describe('images that one host pulls at the same time before a job needs them; a worker’s start does not wait for them'),
  keepFreeBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(5 * 1024 * 1024 * 1024)
    .describe('a host whose disk of images has less free pulls none, and a pull that gets there is stopped; 0: no limit'),
})
