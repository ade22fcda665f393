// Times in query strings: RFC 3339 or epoch milliseconds, in; RFC 3339 with microseconds, out.
import { z } from 'zod'

/** Epoch ms. A `+` that was not escaped arrives as a blank before the zone. */
export const Instant = z.string().transform((text, context) => {
  const at = /^\d+$/u.test(text) ? Number(text) : Date.parse(text.replace(/ (\d\d:\d\d)$/u, '+$1'))
  if (Number.isFinite(at)) return at
  context.addIssue({ code: 'custom', message: `"${text}" is not a time; write it like 2026-11-24T06:00:00Z or in epoch milliseconds` })
  return z.NEVER
})

/** 1764000000000.5 → 2025-11-24T16:00:00.000500Z. Clients drop lines by comparing these, so whole seconds would lose some (sdk2-api §3.3). */
export function toTimestamp(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const micros = Math.round((epochMs - wholeMs) * 1000)
  return new Date(wholeMs).toISOString().replace('Z', `${String(Math.min(micros, 999)).padStart(3, '0')}Z`)
}
