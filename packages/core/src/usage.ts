// Billing arithmetic (management §8): turns the ledger into seconds per endpoint, GPU type and state. Each interval is rounded up to a whole
// second, as Runpod bills (2.5 s → 3 s), in each UTC day that it touches. The days of a month therefore add up to the month, and intervals
// that were rolled up into days count as before (ADR 43). If a range cuts an interval, the part inside the range is rounded.
import type { BillingState, LedgerDay, LedgerRow } from '@runyard/schema'
import type { UsageDimension } from '@runyard/schema/api'
import type { WorkSpans } from './work-spans.ts'

export const DAY_MS = 24 * 3600 * 1000

export interface UsageRange {
  /** Epoch ms; half-open [from, to). */
  readonly from: number
  readonly to: number
}

export interface UsageLine {
  /** null: deleted endpoints of the owner, added up. */
  readonly endpointId: string | null
  readonly gpuType: string | null
  readonly state: BillingState
  /** Whole seconds of wall time, each interval rounded up. */
  readonly seconds: number
  /** `seconds` if the state is billed, else 0. */
  readonly billableSeconds: number
  /** `billableSeconds` × the worker's GPUs; 0 for CPU workers. */
  readonly gpuSeconds: number
}

export interface UsageOptions {
  readonly range: UsageRange
  readonly billedStates: readonly BillingState[]
  /** End of intervals that are still open, epoch ms. */
  readonly now: number
}

export interface Ledger {
  readonly rows: readonly LedgerRow[]
  /** Sums of rows that are no longer in `rows`. */
  readonly days?: readonly LedgerDay[]
}

/** The UTC midnight at or before it. */
export function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS
}

/** Before `rolledUntil` (a midnight) only daily sums exist, so a range that starts or ends there is extended to whole days. */
export function toWholeDays({ from, to }: UsageRange, rolledUntil: number): UsageRange {
  return {
    from: from < rolledUntil ? startOfDay(from) : from,
    to: to < rolledUntil ? startOfDay(to + DAY_MS - 1) : to,
  }
}

/** What an ended interval adds to each UTC day that it touches. */
export function splitByDay(row: LedgerRow): readonly LedgerDay[] {
  const { from, to = from } = row
  const days: LedgerDay[] = []
  for (let day = startOfDay(from); day < to; day += DAY_MS) {
    const seconds = roundUp({ from: Math.max(from, day), to: Math.min(to, day + DAY_MS) })
    days.push(partOf(row, day, seconds))
  }
  return days
}

/** Lines in a stable order: endpoint, GPU type, state. */
export function sumUsage(ledger: Ledger, options: UsageOptions): readonly UsageLine[] {
  const groups = groupUsage(ledger, { ...options, by: ['endpoint', 'gpu', 'state'], priceOf: () => 0 })
  return groups.map(({ of: { endpointId, gpuType, state }, seconds, billableSeconds, gpuSeconds }) => ({
    endpointId,
    gpuType,
    state,
    seconds,
    billableSeconds,
    gpuSeconds,
  }))
}

export interface GroupOptions extends UsageOptions {
  readonly by: readonly UsageDimension[]
  /** Of one hour of a GPU of that type, or of a CPU worker (null). */
  readonly priceOf: (gpuType: string | null) => number
  /** When which worker had a job; absent: not known. */
  readonly work?: WorkSpans | undefined
}

export interface UsageGroup extends Pick<UsageLine, 'seconds' | 'billableSeconds' | 'gpuSeconds'> {
  /** One of its parts: what it has in the dimensions that were asked for holds for all of them. */
  readonly of: LedgerPart
  /** Of the billed part. */
  readonly cost: number
  /** Of `billableSeconds`: without a job; undefined: not known. */
  readonly idleSeconds: number | undefined
}

export type LedgerPart = LedgerDay & {
  /** In which its worker had a job; absent: not known. */
  readonly workSeconds?: number
}

const VALUE_OF: Readonly<Record<UsageDimension, (part: LedgerPart) => string>> = {
  endpoint: ({ endpointId }) => endpointId ?? '',
  key: ({ keyId }) => keyId ?? '',
  host: ({ hostId }) => hostId ?? '',
  gpu: ({ gpuType }) => gpuType ?? '',
  state: ({ state }) => state,
  day: ({ day }) => new Date(day).toISOString(),
}

/** The same seconds in any grouping: each part of the ledger is in exactly one group. Groups are sorted by the dimensions, in the order asked for. */
export function groupUsage(ledger: Ledger, options: GroupOptions): readonly UsageGroup[] {
  const groups = new Map<string, UsageGroup>()
  for (const part of partsOf(ledger, options)) {
    const key = options.by.map((dimension) => VALUE_OF[dimension](part)).join('\n')
    groups.set(key, addPart(groups.get(key), part, options))
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

const NOTHING = { seconds: 0, billableSeconds: 0, gpuSeconds: 0, cost: 0, idleSeconds: 0 }

function addPart(before: UsageGroup | undefined, part: LedgerPart, { billedStates, priceOf }: GroupOptions): UsageGroup {
  const { of, idleSeconds, ...sums } = before ?? { of: part, ...NOTHING }
  const seconds = sums.seconds + part.seconds
  if (!billedStates.includes(part.state)) return { ...sums, of, idleSeconds, seconds }
  const units = part.gpuType === null ? part.seconds : part.gpuSeconds
  const isKnown = idleSeconds !== undefined && part.workSeconds !== undefined
  return {
    of,
    seconds,
    billableSeconds: sums.billableSeconds + part.seconds,
    gpuSeconds: sums.gpuSeconds + part.gpuSeconds,
    cost: sums.cost + (units * priceOf(part.gpuType)) / 3600,
    idleSeconds: isKnown ? idleSeconds + part.seconds - part.workSeconds : undefined,
  }
}

/** What of the ledger lies in a range. */
function* partsOf({ rows, days = [] }: Ledger, options: GroupOptions): Generator<LedgerPart> {
  const { range, now } = options
  for (const row of rows) {
    const [from, to] = [Math.max(row.from, range.from), Math.min(row.to ?? now, range.to)]
    if (to > from) yield* partsOfRow(row, { from, to }, options)
  }
  for (const day of days) if (day.day >= range.from && day.day < range.to && day.seconds > 0) yield day
}

/** Not by day, an interval is one part, dated by its first day. */
function* partsOfRow(row: LedgerRow, inside: UsageRange, { by, work }: GroupOptions): Generator<LedgerPart> {
  const isByDay = by.includes('day')
  const cut = { ...row, ...inside }
  const parts = isByDay ? splitByDay(cut) : [partOf(row, startOfDay(inside.from), secondsIn(inside))]
  for (const part of parts) {
    const span = isByDay ? { from: Math.max(inside.from, part.day), to: Math.min(inside.to, part.day + DAY_MS) } : inside
    yield work === undefined ? part : { ...part, workSeconds: Math.min(part.seconds, work.workMs(row.workerId, span) / 1000) }
  }
}

function partOf({ endpointId, gpuType, state, hostId, keyId, gpuCount }: LedgerRow, day: number, seconds: number): LedgerPart {
  const where = { ...(hostId === undefined ? {} : { hostId }), ...(keyId === undefined ? {} : { keyId }) }
  return { day, endpointId, gpuType, state, ...where, seconds, gpuSeconds: seconds * gpuCount }
}

/** The days between the first and the last are whole days, so their seconds need no rounding. */
function secondsIn({ from, to }: UsageRange): number {
  const firstMidnight = startOfDay(from) + DAY_MS
  if (to <= firstMidnight) return roundUp({ from, to })
  return roundUp({ from, to: firstMidnight }) + roundUp({ from: firstMidnight, to })
}

function roundUp({ from, to }: UsageRange): number {
  return Math.ceil((to - from) / 1000)
}
