// Models of a hub that hosts fetch once for all workers (ADR 86), and the settings of that.
import { z } from 'zod'

export const CachedModel = z.object({
  /** `owner/name`. */
  repo: z.string(),
  /** As the client asked for it: a branch, a tag or a commit. */
  ref: z.string(),
  /** What the reference meant when the endpoint was saved; all workers get this one. */
  commit: z.string(),
  /** Of its files together. */
  sizeBytes: z.number(),
  /** It is gated or private: each owner fetches it with a token of their own. */
  needsToken: z.boolean(),
})
export type CachedModel = z.infer<typeof CachedModel>

export const ModelsConfig = z.object({
  enabled: z
    .union([z.boolean(), z.stringbool()], { error: 'allowed is true or false' })
    .default(true)
    .describe('whether hosts fetch the models that endpoints ask for (`model=` of SDK 2); else such endpoints are refused'),
  hubUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://huggingface.co')
    .describe('hub from which models come: Hugging Face, or a mirror with the same API'),
  maxBytes: z.coerce
    .number()
    .int()
    .min(1)
    .default(500 * 1024 * 1024 * 1024)
    .describe(
      'what the models of one host may take; beyond it those go that no endpoint asks for, and a model without room is not fetched',
    ),
})
export type ModelsConfig = z.infer<typeof ModelsConfig>
