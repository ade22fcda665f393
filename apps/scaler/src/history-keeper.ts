// What the leader adds to the history (ADR 79): readings of cards every ten seconds; cards and hosts out of use when that changes; numbers of endpoints each
// minute and each hour. A minute is written after its first half, and again when it is over. So a leader that is killed loses less than a minute, and the
// next one goes on with that minute. What cannot be written is logged and dropped.
import { meanSample, packSamples, toSample, unpackSamples, type CardSample, type EndpointStatus, type Observed } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { OutOfUse } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { createNumberBook } from './history-numbers.ts'

export type HistoryKeeper = ReturnType<typeof createHistoryKeeper>

export interface Seen {
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

export function createHistoryKeeper({ store, log }: HistoryKeeperDeps) {
  const samples = createSampleBook(store)
  const numbers = createNumberBook(store)
  const outOfUse = createOutOfUseBook(store)
  let sampledAt = -Infinity
  let lookedAt = -Infinity

  return {
    /** Called with each tick; writes when it is time. Never rejects. */
    async note(seen: Seen, now: number): Promise<void> {
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
  let minute: number | undefined
  let cards = new Map<string, (CardSample | null)[]>()
  /** What is written of the minute so far. */
  let written: { readonly fine: string | undefined; readonly rough: string | undefined } | undefined

  async function write(at: number): Promise<void> {
    if (cards.size === 0) return
    const means = new Map([...cards].map(([uuid, own]) => [uuid, [meanSample(own)]]))
    const [fine, rough] = await Promise.all([
      history.replace('samples', written?.fine, { chunk: packSamples({ at, stepMs: STEP_MS, cards }), at }),
      history.replace('sampleMinutes', written?.rough, { chunk: packSamples({ at, stepMs: MINUTE_MS, cards: means }), at }),
    ])
    written = { fine, rough }
  }

  /** Goes on with the minute that an earlier leader began. */
  async function recover(at: number): Promise<void> {
    const latest = { from: at, to: at, count: 1, newestFirst: true }
    const [[fine], [rough]] = await Promise.all([history.chunks('samples', latest), history.chunks('sampleMinutes', latest)])
    const found = fine && unpackSamples(fine.bytes)
    if (found?.at !== at) return
    cards = new Map([...found.cards].map(([uuid, own]) => [uuid, [...own]]))
    written = { fine: fine?.id, rough: rough?.id }
  }

  async function begin(at: number): Promise<void> {
    const before = minute
    minute = at
    try {
      if (before === undefined) await recover(at)
      else await write(before)
    } finally {
      if (before !== undefined) [cards, written] = [new Map<string, (CardSample | null)[]>(), undefined]
    }
  }

  return {
    async look({ observed }: Seen, now: number): Promise<void> {
      const current = now - (now % MINUTE_MS)
      if (current !== minute) await begin(current)
      const step = Math.floor((now - current) / STEP_MS)
      for (const { uuid, sample } of observed.hosts.flatMap(samplesOf)) {
        const own = cards.get(uuid) ?? Array.from<null>({ length: STEPS }).fill(null)
        own[step] = sample
        cards.set(uuid, own)
      }
      if (written === undefined && step >= STEPS / 2) await write(current)
    },
  }
}

/** None of a host that cannot be asked: what it said last is no reading. */
function samplesOf({ inventory, uses = {}, workers }: Observed['hosts'][number]) {
  const gpus = workers === undefined ? [] : (inventory?.gpus ?? [])
  return gpus.flatMap(({ uuid, memoryBytes }) => {
    const sample = toSample(uses[uuid], memoryBytes)
    return sample === undefined ? [] : [{ uuid, sample }]
  })
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
