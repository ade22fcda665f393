// Numbers of endpoints by minutes and hours (ADR 79): queues and workers as the ticks saw them; ends, waits and runs from the jobs that all gateways have
// written by then. What a leader that was killed left unfinished the next one finishes, since jobs and minutes are stored.
import {
  addNumbers,
  NO_NUMBERS,
  numbersOf,
  packNumbers,
  phaseOf,
  unpackNumbers,
  type EndpointNumbers,
  type EndpointStatus,
  type EndpointView,
  type PastJob,
} from '@runyard/core'
import type { Store } from '@runyard/store'
import type { Seen } from './history-keeper.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** As long as minutes are kept. */
const MINUTES_KEPT_MS = 48 * HOUR_MS
/** Of an hour; one that began under another leader may be in two chunks. */
const MOST_MINUTES = 200
/** Gateways add to a chunk for a minute. */
const CHUNK_LAG_MS = 90_000

type History = Store['history']
type Rows = Map<string, EndpointNumbers>

/** By then all gateways have written what ended in the minute. */
const WRITTEN_MS = 5000
const CHUNKS_AT_ONCE = 64

/** A chunk holds jobs of up to a minute before its own time. */
async function endedIn(history: History, from: number, to: number): Promise<readonly PastJob[]> {
  const found: PastJob[] = []
  let after: string | undefined
  for (;;) {
    const chunks = await history.jobs({ from, to: to + CHUNK_LAG_MS, after, count: CHUNKS_AT_ONCE })
    found.push(...chunks.flatMap(({ jobs }) => jobs).filter(({ endedAt }) => endedAt >= from && endedAt < to))
    after = chunks.at(-1)?.id
    if (chunks.length < CHUNKS_AT_ONCE) return found
  }
}

const add = (rows: Rows, endpointId: string, more: EndpointNumbers) =>
  rows.set(endpointId, addNumbers(rows.get(endpointId) ?? NO_NUMBERS, more))

/** How many jobs of each endpoint waited or ran. */
interface Look {
  readonly at: number
  readonly live: ReadonlyMap<string, number>
}

/** `first`: the latest look before the minute, so that nothing between two looks is left out. */
interface Looks {
  readonly first: Look
  last: Look
}

interface Minute {
  readonly rows: Rows
  /** Absent: this leader did not see it. */
  readonly looks?: Looks
  /** What is written of it so far. */
  chunk?: string | undefined
  /** Its first half is written, or was empty, or could not be written. */
  hasHalf?: boolean
}

/**
 * How many jobs came between two looks: those that ended in between, and the growth of the live ones. A job that ends during a look may be counted on its
 * wrong side and make a sum negative; a negative sum is carried into the next minute.
 */
function createAcceptedCount() {
  let carried: ReadonlyMap<string, number> = new Map()
  return ({ first, last }: Looks, ended: readonly PastJob[], isOver: boolean): ReadonlyMap<string, number> => {
    const between = Map.groupBy(
      ended.filter(({ endedAt }) => endedAt >= first.at && endedAt < last.at),
      ({ endpointId }) => endpointId,
    )
    const ids = new Set([...first.live.keys(), ...last.live.keys(), ...between.keys()])
    const sums = [...ids].map((id) => {
      const grown = (last.live.get(id) ?? 0) - (first.live.get(id) ?? 0)
      return [id, (between.get(id)?.length ?? 0) + grown + (carried.get(id) ?? 0)] as const
    })
    if (isOver) carried = new Map(sums.filter(([id, sum]) => sum < 0 && last.live.has(id)))
    return new Map(sums.filter(([, sum]) => sum > 0))
  }
}

export function createNumberBook({ history }: { readonly history: History }) {
  const minutes = new Map<number, Minute>()
  const countAccepted = createAcceptedCount()
  const writeHours = createHourWriter(history)
  let lastLook: Look | undefined
  let hasRecovered = false

  async function write(at: number, minute: Minute, isOver: boolean): Promise<void> {
    await writeHours(at - (at % HOUR_MS))
    const { looks, chunk } = minute
    const rows: Rows = new Map(minute.rows)
    const ended = await endedIn(history, Math.min(at, looks?.first.at ?? at), at + MINUTE_MS)
    for (const job of ended) if (job.endedAt >= at) add(rows, job.endpointId, numbersOf(job))
    const accepted = looks === undefined ? [] : countAccepted(looks, ended, isOver)
    for (const [endpointId, count] of accepted) add(rows, endpointId, { ...NO_NUMBERS, accepted: count })
    if (rows.size > 0) minute.chunk = await history.replace('minutes', chunk, { chunk: packNumbers(at, rows), at })
  }

  return {
    look({ observed, statuses }: Seen, now: number): void {
      const at = now - (now % MINUTE_MS)
      const live = new Map(observed.endpoints.map(({ endpointId, demand, leases }) => [endpointId, demand.waiting + leases.length]))
      const look = { at: now, live }
      // After a longer pause another leader has counted meanwhile.
      const first = lastLook !== undefined && now - lastLook.at < MINUTE_MS ? lastLook : look
      const minute = minutes.get(at) ?? { rows: new Map<string, EndpointNumbers>(), looks: { first, last: look } }
      minutes.set(at, minute)
      if (minute.looks !== undefined) minute.looks.last = look
      lastLook = look
      for (const view of observed.endpoints) {
        const row = rowOf(view, statuses.get(view.endpointId), now)
        if (row !== undefined) add(minute.rows, view.endpointId, row)
      }
    },
    async writeWhenDue(now: number): Promise<void> {
      if (!hasRecovered) await recover(history, minutes, now)
      hasRecovered = true
      for (const [at, minute] of [...minutes].toSorted(([one], [other]) => one - other)) {
        const isOver = now >= at + MINUTE_MS + WRITTEN_MS
        const isHalf = minute.hasHalf !== true && now >= at + MINUTE_MS / 2
        if (isOver) minutes.delete(at)
        minute.hasHalf ||= isHalf
        if (isOver || isHalf) await write(at, minute, isOver)
      }
    },
  }
}

/** What an earlier leader left: its last minute, which may be half of one, and those without a leader. */
async function recover(history: History, minutes: Map<number, Minute>, now: number): Promise<void> {
  const [newest] = await history.chunks('minutes', { from: now - HOUR_MS, to: now, count: 1, newestFirst: true })
  const found = newest && unpackNumbers(newest.bytes)
  if (newest === undefined || found === undefined) return
  const { rows, ...left } = minutes.get(found.at) ?? { rows: new Map<string, EndpointNumbers>() }
  for (const [endpointId, row] of found.rows) add(rows, endpointId, withoutEnds(row))
  minutes.set(found.at, { ...left, rows, chunk: newest.id, hasHalf: true })
  for (let at = found.at + MINUTE_MS; at + MINUTE_MS <= now; at += MINUTE_MS) if (!minutes.has(at)) minutes.set(at, { rows: new Map() })
}

/** What no job says. */
function withoutEnds({ accepted, queue, oldestS, throttled, starting, idle, busy, draining, reason }: EndpointNumbers): EndpointNumbers {
  return { ...NO_NUMBERS, accepted, queue, oldestS, throttled, starting, idle, busy, draining, reason }
}

/** Hours are sums of the minutes that are stored, also of those by earlier leaders. */
function createHourWriter(history: History) {
  let writtenTo: number | undefined

  async function write(at: number): Promise<void> {
    const rows: Rows = new Map()
    for (const { bytes } of await history.chunks('minutes', { from: at, to: at + HOUR_MS - 1, count: MOST_MINUTES })) {
      for (const [endpointId, row] of unpackNumbers(bytes)?.rows ?? []) add(rows, endpointId, row)
    }
    if (rows.size > 0) await history.add('hours', packNumbers(at, rows), at)
  }

  /** Those before `to` that are not written yet. */
  return async (to: number): Promise<void> => {
    if (writtenTo === to) return
    const [newest] = await history.chunks('hours', { from: 0, to: Number.MAX_SAFE_INTEGER, count: 1, newestFirst: true })
    const known = newest && unpackNumbers(newest.bytes)
    for (let at = Math.max((known?.at ?? 0) + HOUR_MS, to - MINUTES_KEPT_MS); at < to; at += HOUR_MS) await write(at)
    writtenTo = to
  }
}

/** Undefined where nothing waits, nothing works and nothing is wanted. */
function rowOf(view: EndpointView, status: EndpointStatus | undefined, now: number): EndpointNumbers | undefined {
  const { demand, workers, leases } = view
  const throttled = status?.throttled ?? 0
  if (demand.waiting === 0 && workers.length === 0 && throttled === 0) return undefined
  const holders = new Set(leases.map(({ workerId }) => workerId))
  const phases = workers.map((record) => phaseOf(record, holders.has(record.id) ? 1 : 0))
  const count = (phase: string) => phases.filter((one) => one === phase).length
  return {
    ...NO_NUMBERS,
    queue: demand.waiting,
    oldestS: demand.oldestWaitingAt === undefined ? 0 : Math.max(0, (now - demand.oldestWaitingAt) / 1000),
    throttled,
    starting: count('starting'),
    idle: count('idle'),
    busy: count('busy'),
    draining: count('draining'),
    reason: throttled > 0 ? status?.reason : undefined,
  }
}
