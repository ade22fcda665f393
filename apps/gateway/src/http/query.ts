// What the query of a request says, for routes that clients of Runpod call: they have no schema, so that nothing is refused for what it says beside.
import { clampMs, RunyardError } from '@runyard/schema'

const WAIT_MS = { min: 1000, max: 300_000 }

/** Of a request. */
export interface Asked {
  readonly query: unknown
}

/** A value that is given twice is a list. */
export function queryOf({ query }: Asked): Readonly<Record<string, unknown>> {
  return query as Readonly<Record<string, unknown>>
}

/** `?wait=` in ms: clamped to 1000–300000; absent or not a number → `fallbackMs`. */
export function readWaitMs(request: Asked, fallbackMs: number): number {
  const given = queryOf(request)['wait']
  if (typeof given !== 'string' || given.trim() === '') return fallbackMs
  return clampMs(Number(given), WAIT_MS) ?? fallbackMs
}

/** @throws RunyardError('bad_request') */
export function readCount(request: Asked, name: string, range: { least: number; most: number; fallback: number }): number {
  const given = queryOf(request)[name]
  if (given === undefined || given === '') return range.fallback
  const count = Number(given)
  if (typeof given === 'string' && Number.isInteger(count) && count >= range.least && count <= range.most) return count
  throw new RunyardError('bad_request', `"${name}" must be a whole number from ${range.least} to ${range.most}`)
}
