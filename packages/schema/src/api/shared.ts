// What the shapes of several routes share: pages, references, times in query strings, and how a failure looks.
import { z } from 'zod'
import { LATEST_MS, quoted } from '../bounds.ts'

/** Two lists of the 2.0 SDK fail without the object (sdk2-api §0.6). */
export const Pagination = z
  .object({ hasNextPage: z.boolean(), nextCursor: z.string().nullable() })
  .meta({ id: 'Pagination', description: 'Every list is one full page: there is never a next one.' })
export const ONE_PAGE: z.infer<typeof Pagination> = { hasNextPage: false, nextCursor: null }

/** In a reply. Not checked there: we write it ourselves, also for years that RFC 3339 does not have. */
export const DateTime = z.string().meta({ format: 'date-time' })

/** An empty text detaches, as null does (management §2.2). */
export const RegistryReference = z
  .string()
  .nullable()
  .transform((id) => (id === '' ? null : id))
  .meta({ description: 'Id of registry credentials; null or an empty text: none.' })

/** Of a path with `:id`. */
export const IdParams = z.object({ id: z.string() })

/** Epoch ms; nothing here is older than 1970. A `+` that was not escaped arrives as a blank before the zone. */
export const Instant = z
  .string()
  .transform((text, context) => {
    const at = /^\d+$/u.test(text) ? Number(text) : Date.parse(text.replace(/ (\d\d:\d\d)$/u, '+$1'))
    const isDate = at >= -LATEST_MS && at <= LATEST_MS
    if (isDate) return Math.max(0, at)
    context.addIssue({
      code: 'custom',
      message: `must be a time like 2026-11-24T06:00:00Z or epoch milliseconds, not ${quoted(text)}`,
    })
    return z.NEVER
  })
  .meta({ description: 'A time: RFC 3339, or epoch milliseconds.' })

/**
 * A whole number of a body. Its upper bound is the model's to judge; `most` is what it allows, for numbers beyond those of JSON, which no model
 * sees.
 */
export function whole(least: number, most: number | string) {
  const error = ({ code, maximum }: { readonly code?: string; readonly maximum?: unknown }): string | undefined =>
    code === 'too_big' && maximum === Number.MAX_SAFE_INTEGER ? `must be at most ${most}` : undefined
  return z.int({ error }).min(least)
}

/** What a maximum of workers may be, in the words of a sentence. */
export const MOST_WORKERS = '1000, or what limits.workersPerEndpoint allows'

/** A number of rows in a query string. */
export function rowLimit({ most, usual }: { readonly most: number; readonly usual: number }) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .max(most)
    .default(usual)
    .meta({ description: `How many rows; ${usual} where it is absent.` })
}

export const Problem = z
  .object({
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('One sentence: what is wrong, and what would be right.'),
    errors: z.array(z.string()).optional().describe('Of a body that does not fit its shape: every member that is wrong.'),
  })
  .meta({ id: 'Problem', description: 'A failure of REST v2 (RFC 9457).' })
export type Problem = z.infer<typeof Problem>

export const JobPlaneError = z
  .object({ error: z.string(), message: z.string() })
  .meta({ id: 'JobPlaneError', description: 'A failure of the job plane. Both members hold the same sentence.' })
export type JobPlaneError = z.infer<typeof JobPlaneError>
