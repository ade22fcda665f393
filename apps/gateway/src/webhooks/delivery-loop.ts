// The delivery loop: sends the webhooks that are due in the endpoints' outboxes. Signals report new due times, each look at an outbox returns the next
// due time, and a slow search finds what both missed. What is under way is bounded in all, per owner and per receiver, so that a dead receiver delays
// only its own webhooks. Redis leases what is under way, so that another gateway delivers what a dead one had taken.
import { createLoop, type Logger } from '@runyard/kit'
import type { ClaimedWebhook, Store } from '@runyard/store'
import type { GatewayDeps } from '../parts/deps.ts'
import { createDelivery } from './delivery.ts'
import type { Resolve } from './name-lookup.ts'

/** For all endpoints with an outbox; costs one short command if there is none. */
const SEARCH_EVERY_MS = 60_000
const MOST_AT_ONCE = 128
const MOST_PER_RECEIVER = 8
/** Events come with their job's input and output, so they are fetched in small portions. */
const PORTION = 16
const CLOSE_WAIT_MS = 3000

export interface DeliveryLoopDeps {
  readonly webhooks: Pick<Store['webhooks'], 'endpoints' | 'claim'>
  /** The owner of an endpoint; undefined for one that is gone. */
  readonly ownerOf: (endpointId: string) => Promise<string | undefined>
  readonly deliver: (event: ClaimedWebhook) => Promise<void>
  readonly leaseMs: number
  readonly log: Logger
}

export function createDeliveryLoop(deps: DeliveryLoopDeps) {
  const agenda = createAgenda()
  const slots = createSlots(() => {
    if (agenda.roomAgain()) loop.wake()
  })
  const rounds = createRounds(deps, agenda, slots)
  const loop = createLoop({ name: 'webhooks', tick: (now) => rounds.go(now), log: deps.log, maxSleepMs: SEARCH_EVERY_MS })
  loop.start()
  return {
    /** The endpoint's outbox has something new. */
    wake(endpointId: string) {
      agenda.look(endpointId, 0)
      loop.wake()
    },
    /** After a lost connection: anything may be due. */
    wakeAll() {
      rounds.searchNext()
      loop.wake()
    },
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]()
      await slots.drain()
    },
  }
}

/** A round reads every outbox that has due webhooks, and starts their delivery. */
function createRounds(deps: DeliveryLoopDeps, agenda: Agenda, slots: Slots) {
  let searchAt = 0

  async function search(now: number): Promise<void> {
    for (const endpointId of await deps.webhooks.endpoints()) agenda.look(endpointId, now)
    searchAt = now + SEARCH_EVERY_MS
  }

  async function look(endpointId: string, now: number): Promise<void> {
    const owner = (await deps.ownerOf(endpointId)) ?? endpointId
    const limit = Math.min(PORTION, slots.roomOf(owner))
    if (limit <= 0) {
      agenda.waitForRoom(endpointId)
      return
    }
    const options = { now, leaseMs: deps.leaseMs, limit, perLane: MOST_PER_RECEIVER, busy: slots.lanes }
    const { events, nextAt, isMoreDue, dropped } = await deps.webhooks.claim(endpointId, options)
    if (dropped > 0) deps.log.warn({ endpointId, webhooks: dropped }, 'webhooks were dropped: the outbox is full')
    for (const event of events) void slots.run({ lane: event.lane, owner }, () => deliver(deps, event))
    if (nextAt !== undefined) agenda.look(endpointId, nextAt)
    // An empty portion means that every receiver with due webhooks is at its limit.
    if (isMoreDue && events.length > 0) agenda.look(endpointId, now)
    else if (isMoreDue) agenda.waitForRoom(endpointId)
  }

  return {
    searchNext(): void {
      searchAt = 0
    },
    /** Returns when the next round is due, epoch ms. While Redis is away, outboxes that were not read stay due. */
    async go(now: number): Promise<number> {
      if (now >= searchAt) await search(now)
      for (const endpointId of agenda.due(now)) {
        agenda.forget(endpointId)
        await look(endpointId, now).catch((error: unknown) => {
          agenda.look(endpointId, now)
          throw error
        })
      }
      return Math.min(searchAt, agenda.nextAt())
    },
  }
}

async function deliver({ deliver: send, log }: DeliveryLoopDeps, event: ClaimedWebhook): Promise<void> {
  try {
    await send(event)
  } catch (error) {
    log.warn({ err: error, eventId: event.eventId }, 'the outcome of a webhook could not be written; it is sent again after its lease')
  }
}

type Agenda = ReturnType<typeof createAgenda>

/** When to look at which endpoint's outbox, epoch ms. */
function createAgenda() {
  const looks = new Map<string, number>()
  const waiting = new Set<string>()
  const look = (endpointId: string, at: number): void => {
    looks.set(endpointId, Math.min(at, looks.get(endpointId) ?? at))
  }
  return {
    look,
    forget: (endpointId: string) => void looks.delete(endpointId),
    due: (now: number) => [...looks].filter(([, at]) => at <= now).map(([endpointId]) => endpointId),
    nextAt: () => Math.min(...looks.values()),
    waitForRoom: (endpointId: string) => void waiting.add(endpointId),
    /** Whether an endpoint waited for it. */
    roomAgain(): boolean {
      const hadWaiting = waiting.size > 0
      for (const endpointId of waiting) look(endpointId, 0)
      waiting.clear()
      return hadWaiting
    },
  }
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const left = (counts.get(key) ?? 0) + change
  if (left === 0) counts.delete(key)
  else counts.set(key, left)
}

type Slots = ReturnType<typeof createSlots>

/** Deliveries under way, in all, per receiver and per owner. */
function createSlots(onFree: () => void) {
  const lanes = new Map<string, number>()
  const owners = new Map<string, number>()
  const works = new Set<Promise<void>>()
  return {
    lanes: lanes as ReadonlyMap<string, number>,
    /** An owner gets half of what the others leave, so that there is always room for one more owner. */
    roomOf(owner: string): number {
      const own = owners.get(owner) ?? 0
      return Math.floor((MOST_AT_ONCE - (works.size - own)) / 2) - own
    },
    async run({ lane, owner }: { readonly lane: string; readonly owner: string }, start: () => Promise<void>): Promise<void> {
      count(lanes, lane, 1)
      count(owners, owner, 1)
      const work = start()
      works.add(work)
      await work
      works.delete(work)
      count(lanes, lane, -1)
      count(owners, owner, -1)
      onFree()
    },
    /** A delivery that takes longer is repeated after its lease. */
    async drain(): Promise<void> {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, CLOSE_WAIT_MS)
      await Promise.race([Promise.all(works), late])
      clearTimeout(timer)
    },
  }
}

/** An attempt is recorded well before its lease ends, also by a busy gateway. */
const LEASE_MARGIN_MS = 5000

export function openWebhooks(deps: GatewayDeps, resolve: Resolve): AsyncDisposable {
  const deliveryLoop = createDeliveryLoop({
    webhooks: deps.store.webhooks,
    ownerOf: async (endpointId) => (await deps.endpoints.get(endpointId))?.ownerId,
    deliver: createDelivery({ ...deps, resolve }),
    leaseMs: deps.config.webhooks.timeoutS * 1000 + LEASE_MARGIN_MS,
    log: deps.log,
  })
  const subscription = deps.store.subscribe((signal) => {
    if (signal.kind === 'webhook-due') deliveryLoop.wake(signal.endpointId)
    if (signal.kind === 'resync') deliveryLoop.wakeAll()
  })
  return {
    async [Symbol.asyncDispose]() {
      await subscription[Symbol.asyncDispose]()
      await deliveryLoop[Symbol.asyncDispose]()
    },
  }
}
