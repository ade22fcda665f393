// What an owner has stored about itself.
import { z } from 'zod'

export const Account = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  createdAt: z.number(),
  /** Public SSH keys, as OpenSSH writes them. */
  publicKeys: z.array(z.string()),
})
export type Account = z.infer<typeof Account>
