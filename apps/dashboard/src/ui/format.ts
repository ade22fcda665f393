// How numbers and times are written: units always, and each time says its zone. Spans are written as in the command line.
export { formatAge, formatDuration, formatRun, formatWait } from '@runyard/core/durations'

const MINUTE_MS = 60_000
const SHORT_ID = 8

export type Zone = 'local' | 'utc'

/** `2026-11-30 09:46:39 UTC`, or with the name of the local zone. `at`: epoch ms. */
export function formatTime(at: number, zone: Zone): string {
  const name = zone === 'utc' ? 'UTC' : zoneName(at)
  return `${toParts(at, zone)} ${name}`
}

/** `09:46:39`, for where the zone is said beside it. */
export function formatClock(at: number, zone: Zone): string {
  return toParts(at, zone).slice(11)
}

/** `.042`, which follows a clock time. `at`: epoch ms; parts of a millisecond are left out. */
export function formatMillis(at: number): string {
  return new Date(at).toISOString().slice(19, 23)
}

function toParts(at: number, zone: Zone): string {
  const shifted = zone === 'utc' ? at : at - new Date(at).getTimezoneOffset() * MINUTE_MS
  return new Date(shifted).toISOString().slice(0, 19).replace('T', ' ')
}

/** `CET`, `GMT+1`. */
export function zoneName(at: number): string {
  // A formatter takes longer to make than a row of a list.
  const offset = new Date(at).getTimezoneOffset()
  const name = zoneNames.get(offset) ?? partsOf(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  zoneNames.set(offset, name)
  return name
}

const zoneNames = new Map<number, string>()
const partsOf = (at: number) => new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(at)

/** `0.4`, `31.2`, `1,204`. */
export function formatCount(value: number): string {
  return (value < 100 ? FINE : WHOLE).format(value)
}

const FINE = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** `1 job`, `1,204 jobs`. */
export function formatCounted(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `24 GiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${formatCount(bytes / 1024 ** power)} ${UNITS[power]}`
}

export function formatPercent(ratio: number): string {
  return `${Math.round(100 * ratio)} %`
}

/** Enough of an id for a person. */
export function shortId(id: string): string {
  return id.length <= SHORT_ID + 2 ? id : id.slice(0, SHORT_ID)
}

/** `12.50 EUR`; four digits where two would hide it. */
export function formatCost(cost: number, currency: string): string {
  const digits = cost > 0 && cost < 1 ? 4 : 2
  return `${new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(cost)} ${currency}`
}

/** Whether a text is the whole id of a job, as SDKs print it. */
export function isJobId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-\w{1,8})?$/u.test(text)
}

/** `Jobs waiting` of `jobs waiting`. */
export const capitalise = (words: string): string => words.slice(0, 1).toUpperCase() + words.slice(1)
