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

/** Jobs that ended since it was last asked, each once. */
function createEndReader(history: Store['history']) {
  let after: string | undefined
  return {
    async next(from: number, to: number): Promise<readonly PastJob[]> {
      const found: PastJob[] = []
      for (;;) {
        const chunks = await history.jobs({ from, to, after, count: CHUNKS_AT_ONCE })
        found.push(...chunks.flatMap(({ jobs }) => jobs))
        after = chunks.at(-1)?.id ?? after
        if (chunks.length < CHUNKS_AT_ONCE) return found
      }
    },
  }
}

const CHUNKS_AT_ONCE = 200

type Rows = Map<string, EndpointNumbers>

/** Queues and workers as the ticks saw them; ends, waits and runs from the jobs that everyone has written by then. */
function createNumberBook({ history }: HistoryKeeperDeps['store']) {
  let minute = 0
  let hour = 0
  let seenNow: Rows = new Map()
  let inHour: Rows = new Map()
  let liveBefore: ReadonlyMap<string, number> | undefined
  let liveNow = new Map<string, number>()
  const ends = createEndReader(history)

  const add = (rows: Rows, endpointId: string, more: EndpointNumbers) =>
    rows.set(endpointId, addNumbers(rows.get(endpointId) ?? NO_NUMBERS, more))

  async function writeMinute(at: number, now: number): Promise<void> {
    const rows = seenNow
    seenNow = new Map()
    for (const job of await ends.next(at, now)) add(rows, job.endpointId, numbersOf(job))
    const before = liveBefore
    for (const [endpointId, row] of rows) {
      const ended = row.completed + row.failed + row.cancelled + row.timedOut
      const grown = before === undefined ? 0 : (liveNow.get(endpointId) ?? 0) - (before.get(endpointId) ?? 0)
      rows.set(endpointId, { ...row, accepted: Math.max(0, ended + grown) })
    }
    liveBefore = liveNow
    if (rows.size === 0) return
    await history.add('minutes', packNumbers(at, rows), at)
    for (const [endpointId, row] of rows) add(inHour, endpointId, row)
  }

  return {
    look({ observed, statuses }: Seen, now: number): void {
      minute ||= now - (now % MINUTE_MS)
      hour ||= now - (now % HOUR_MS)
      liveNow = new Map(observed.endpoints.map(({ endpointId, demand, leases }) => [endpointId, demand.waiting + leases.length]))
      for (const view of observed.endpoints) {
        const row = rowOf(view, statuses.get(view.endpointId), now)
        if (row !== undefined) add(seenNow, view.endpointId, row)
      }
    },
    async writeWhenDue(now: number): Promise<void> {
      const current = now - (now % MINUTE_MS)
      if (current === minute) return
      const at = minute
      minute = current
      await writeMinute(at, now)
      const currentHour = now - (now % HOUR_MS)
      if (currentHour === hour) return
      const [hourAt, rows] = [hour, inHour]
      hour = currentHour
      inHour = new Map()
      if (rows.size > 0) await history.add('hours', packNumbers(hourAt, rows), hourAt)
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
