// What the leader adds to the history (ADR 79): readings of cards every ten seconds, written once a minute; cards and hosts out of use when that changes;
// numbers of endpoints each minute and each hour. A leader that is killed loses a minute of it. What cannot be written is logged and dropped.
import {
  addNumbers,
  meanSample,
  NO_NUMBERS,
  numbersOf,
  packNumbers,
  packSamples,
  phaseOf,
  toSample,
  type CardSample,
  type EndpointNumbers,
  type EndpointStatus,
  type EndpointView,
  type Observed,
  type PastJob,
} from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { OutOfUse } from '@runyard/schema'
import type { Store } from '@runyard/store'

export interface HistoryKeeper {
  /** Called with each tick; writes when it is time. Never rejects. */
  note(seen: Seen, now: number): Promise<void>
}

interface Seen {
  readonly observed: Pick<Observed, 'hosts' | 'endpoints'>
  readonly statuses: ReadonlyMap<string, EndpointStatus>
}

export interface HistoryKeeperDeps {
  readonly store: Pick<Store, 'history' | 'cards'>
  readonly log: Logger
}

const STEP_MS = 10_000
/** There may be many ticks in a second. */
const LOOK_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const STEPS = MINUTE_MS / STEP_MS

export function createHistoryKeeper({ store, log }: HistoryKeeperDeps): HistoryKeeper {
  const samples = createSampleBook(store)
  const numbers = createNumberBook(store)
  const outOfUse = createOutOfUseBook(store)
  let sampledAt = -Infinity
  let lookedAt = -Infinity

  return {
    async note(seen, now) {
      if (!store.history.isKept) return
      if (now - lookedAt >= LOOK_MS) {
        lookedAt = now
        numbers.look(seen, now)
      }
      const isDue = now - sampledAt >= STEP_MS
      try {
        if (isDue) {
          sampledAt = now
          await outOfUse.look(seen, now)
          await samples.look(seen, now)
        }
        await numbers.writeWhenDue(now)
      } catch (error) {
        log.warn({ err: error }, 'a minute is missing in the history')
      }
    },
  }
}

/** Each card has a place for each step of the minute. */
function createSampleBook({ history }: HistoryKeeperDeps['store']) {
  let minute = 0
  let cards = new Map<string, (CardSample | null)[]>()

  async function write(): Promise<void> {
    const [at, taken] = [minute, cards]
    cards = new Map()
    if (taken.size === 0) return
    const means = new Map([...taken].map(([uuid, own]) => [uuid, [meanSample(own)]]))
    await Promise.all([
      history.add('samples', packSamples({ at, stepMs: STEP_MS, cards: taken }), at),
      history.add('sampleMinutes', packSamples({ at, stepMs: MINUTE_MS, cards: means }), at),
    ])
  }

  return {
    async look({ observed }: Seen, now: number): Promise<void> {
      const current = now - (now % MINUTE_MS)
      if (current !== minute) await write()
      minute = current
      const step = Math.floor((now - minute) / STEP_MS)
      for (const { inventory, uses = {}, workers } of observed.hosts) {
        for (const { uuid, memoryBytes } of workers === undefined ? [] : (inventory?.gpus ?? [])) {
          const sample = toSample(uses[uuid], memoryBytes)
          if (sample === undefined) continue
          const own = cards.get(uuid) ?? Array.from<null>({ length: STEPS }).fill(null)
          own[step] = sample
          cards.set(uuid, own)
        }
      }
    },
  }
}

/** The whole list each time, so that a reader needs only the latest before its time. */
function createOutOfUseBook({ history, cards }: HistoryKeeperDeps['store']) {
  let written = ''
  let writtenAt = 0
  return {
    async look({ observed }: Seen, now: number): Promise<void> {
      const claims = (await cards.list()).flatMap(({ uuid, claim }): OutOfUse['cards'] =>
        claim?.kind === 'quarantined' || claim?.kind === 'probation'
          ? [{ uuid, since: claim.since, cause: claim.cause, message: claim.message }]
          : [],
      )
      const hosts = observed.hosts.filter(({ workers }) => workers === undefined).map(({ hostId }) => hostId)
      const text = JSON.stringify({ cards: claims, hosts } satisfies OutOfUse)
      if (text === written && now - writtenAt < HOUR_MS) return
      await history.add('cardChanges', Buffer.from(text), now)
      written = text
      writtenAt = now
    },
  }
}

type Rows = Map<string, EndpointNumbers>

/** By then all gateways have written what ended in the minute. */
const WRITTEN_MS = 5000
const CHUNKS_AT_ONCE = 64

/** A chunk holds jobs of up to a minute before its own time. */
async function endedIn(history: Store['history'], from: number, to: number): Promise<readonly PastJob[]> {
  const found: PastJob[] = []
  let after: string | undefined
  for (;;) {
    const chunks = await history.jobs({ from, to: Number.MAX_SAFE_INTEGER, after, count: CHUNKS_AT_ONCE })
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
interface Minute {
  readonly rows: Rows
  readonly first: Look
  last: Look
}

/**
 * How many jobs came between two looks: those that ended in between, and the growth of the live ones. A job that ends during a look may be counted on its
 * wrong side and make a sum negative; a negative sum is carried into the next minute.
 */
function createAcceptedCount() {
  let carried: ReadonlyMap<string, number> = new Map()
  return ({ first, last }: Minute, ended: readonly PastJob[]): ReadonlyMap<string, number> => {
    const between = Map.groupBy(
      ended.filter(({ endedAt }) => endedAt >= first.at && endedAt < last.at),
      ({ endpointId }) => endpointId,
    )
    const ids = new Set([...first.live.keys(), ...last.live.keys(), ...between.keys()])
    const sums = [...ids].map((id) => {
      const grown = (last.live.get(id) ?? 0) - (first.live.get(id) ?? 0)
      return [id, (between.get(id)?.length ?? 0) + grown + (carried.get(id) ?? 0)] as const
    })
    carried = new Map(sums.filter(([id, sum]) => sum < 0 && last.live.has(id)))
    return new Map(sums.filter(([, sum]) => sum > 0))
  }
}

/** Queues and workers as the ticks saw them; ends, waits and runs from the jobs that everyone has written by then. */
function createNumberBook({ history }: HistoryKeeperDeps['store']) {
  const minutes = new Map<number, Minute>()
  const countAccepted = createAcceptedCount()
  let lastLook: Look | undefined
  let hour = 0
  let inHour: Rows = new Map()

  async function writeMinute(at: number, minute: Minute): Promise<void> {
    const { rows, first } = minute
    const ended = await endedIn(history, Math.min(at, first.at), at + MINUTE_MS)
    for (const job of ended) if (job.endedAt >= at) add(rows, job.endpointId, numbersOf(job))
    for (const [endpointId, accepted] of countAccepted(minute, ended)) add(rows, endpointId, { ...NO_NUMBERS, accepted })
    if (rows.size === 0) return
    await history.add('minutes', packNumbers(at, rows), at)
    for (const [endpointId, row] of rows) add(inHour, endpointId, row)
  }

  async function writeHour(now: number): Promise<void> {
    const [at, rows] = [hour, inHour]
    hour = now
    inHour = new Map()
    if (rows.size > 0) await history.add('hours', packNumbers(at, rows), at)
  }

  return {
    look({ observed, statuses }: Seen, now: number): void {
      const at = now - (now % MINUTE_MS)
      const live = new Map(observed.endpoints.map(({ endpointId, demand, leases }) => [endpointId, demand.waiting + leases.length]))
      const look = { at: now, live }
      // After a longer pause another leader has counted meanwhile.
      const first = lastLook !== undefined && now - lastLook.at < MINUTE_MS ? lastLook : look
      const minute = minutes.get(at) ?? { rows: new Map(), first, last: look }
      minutes.set(at, minute)
      minute.last = look
      lastLook = look
      for (const view of observed.endpoints) {
        const row = rowOf(view, statuses.get(view.endpointId), now)
        if (row !== undefined) add(minute.rows, view.endpointId, row)
      }
    },
    async writeWhenDue(now: number): Promise<void> {
      for (const [at, minute] of minutes) {
        if (now < at + MINUTE_MS + WRITTEN_MS) continue
        minutes.delete(at)
        const ownHour = at - (at % HOUR_MS)
        if (ownHour !== hour) await writeHour(ownHour)
        await writeMinute(at, minute)
      }
    },
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
