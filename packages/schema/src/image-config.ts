// Settings of the images on hosts (ADR 59).
import { z } from 'zod'

export const ImagesConfig = z.object({
  pullsAtOnce: z.coerce
    .number()
    .int()
    .min(1)
    .default(2)
    .describe('images that one host pulls at the same time before a job needs them; a worker’s start does not wait for them'),
})
