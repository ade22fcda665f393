// Times in query strings: RFC 3339 or epoch milliseconds.
import { LATEST_MS, quoted } from '@runyard/schema'
import { z } from 'zod'

/** Epoch ms; nothing here is older than 1970. A `+` that was not escaped arrives as a blank before the zone. */
export const Instant = z.string().transform((text, context) => {
  const at = /^\d+$/u.test(text) ? Number(text) : Date.parse(text.replace(/ (\d\d:\d\d)$/u, '+$1'))
  const isDate = at >= -LATEST_MS && at <= LATEST_MS
  if (isDate) return Math.max(0, at)
  context.addIssue({
    code: 'custom',
    message: `${quoted(text)} is not a time; write it like 2026-11-24T06:00:00Z or in epoch milliseconds`,
  })
  return z.NEVER
})
