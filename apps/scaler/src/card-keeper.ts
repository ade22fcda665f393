// Keeps what is known of cards between workers and of those with a fault (ADR 52, ADR 57). It judges them by the latest report of their host, and asks the host
// for the next report while a card waits for it. It tries out cards on probation, and notes how a card is used while no worker has it.
import { setTimeout as delay } from 'node:timers/promises'
import {
  afterProbe,
  allHoldings,
  factsOf,
  nextClaim,
  restOf,
  suspectCards,
  withCardClaims,
  type CardFacts,
  type HolderPids,
  type HostView,
  type Observed,
} from '@runyard/core'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { CardClaim } from '@runyard/schema'
import type { Store, StoredCard } from '@runyard/store'
import type { HostPool } from './host-pool.ts'

type Seen = Pick<Observed, 'hosts' | 'endpoints'>

export type CardKeeper = ReturnType<typeof createCardKeeper>

export interface CardKeeperDeps {
  readonly store: Pick<Store, 'cards'>
  readonly hosts: HostPool
  readonly log: Logger
  /** Called after a report that a card waited for, and after a probe. */
  readonly wake: () => void
}

/** Between two reports that a card waits for, and before a probe that could not be made is tried again. */
const PAUSE_MS = 1000
const NONE: ReadonlySet<string> = new Set()

export function createCardKeeper(deps: CardKeeperDeps) {
  const { store, log } = deps
  const closing = new AbortController()
  const asker = createAsker(deps, closing.signal)
  const prober = createProber(deps, closing.signal)

  async function judgeOne(card: StoredCard, { host, facts }: Judged, now: number): Promise<CardClaim | undefined> {
    const { claim, uuid } = card
    const next = nextClaim(card, facts, now)
    if (next === claim) return claim
    // What changed meanwhile is judged in the next tick; until then the card stays out.
    if (!(await store.cards.putClaim(card, next))) return claim ?? next
    report(log, { before: claim, next, facts: { hostId: host?.hostId, gpu: uuid, workerId: next?.workerId ?? claim?.workerId } })
    return next
  }

  return {
    /** The hosts without the cards that no worker may have now. `undying`: workers that do not end. */
    async judge(seen: Seen, now: number, undying: ReadonlySet<string> = NONE): Promise<readonly HostView[]> {
      const cards = new Map((await store.cards.list()).map((card) => [card.uuid, card]))
      const { hostOf, holdersOf } = whereabouts(seen)
      const claims = new Map<string, CardClaim>()
      for (const uuid of new Set([...cards.keys(), ...suspectCards(seen.hosts, holdersOf, undying)])) {
        const card = cards.get(uuid) ?? { uuid, claimText: '' }
        const host = hostOf.get(uuid)
        const facts = { ...factsOf(card, host, { holdersOf, undying }), pids: asker.pidsOn(host) }
        const claim = await judgeOne(card, { host, facts }, now)
        if (claim !== undefined) claims.set(uuid, claim)
      }
      await noteRests(store, { ...seen, cards, claims, holdersOf })
      for (const { hostId, usesAt = 0 } of hostsOf('releasing', hostOf, claims))
        asker.ask(hostId, {
          pauseMs: now - usesAt < PAUSE_MS ? PAUSE_MS : 0,
          usedAfter: lastReleaseOf(hostId, hostOf, claims),
          workerIds: cardsOf('releasing', claims).flatMap((uuid) =>
            hostOf.get(uuid)?.hostId === hostId ? (holdersOf.get(uuid) ?? []) : [],
          ),
        })
      for (const uuid of cardsOf('probation', claims)) prober.probe(uuid, hostOf.get(uuid)?.hostId)
      return seen.hosts.map((host) => withCardClaims(host, claims))
    },
    [Symbol.dispose]: () => closing.abort(),
  }
}

interface Judged {
  readonly host: HostView | undefined
  readonly facts: CardFacts
}

interface Change {
  readonly before: CardClaim | undefined
  readonly next: CardClaim | undefined
  readonly facts: Readonly<Record<string, unknown>>
}

function report(log: Logger, { before, next, facts }: Change): void {
  if (next?.kind === 'quarantined') {
    const end = next.needsOperator === true ? '; it stays there until an operator releases it' : ''
    log.warn({ ...facts, cause: next.cause, quarantines: next.quarantines.length }, `card in quarantine: ${next.message}${end}`)
  } else if (next?.kind === 'probation') log.info(facts, 'card is tried out before it is used again')
  else if (before?.kind === 'quarantined' || before?.kind === 'probation') log.info(facts, 'card returns from quarantine')
}

/** The host of each real card, also of cards that their host does not list any more, and its workers. */
function whereabouts({ hosts, endpoints }: Seen) {
  const real = <T extends { readonly simulated: boolean }>(gpus: readonly T[]): readonly T[] => gpus.filter(({ simulated }) => !simulated)
  const byId = new Map(hosts.map((host) => [host.hostId, host]))
  const held = endpoints
    .flatMap(({ workers }) => workers)
    .flatMap(({ id, hostId, gpus }) => real(gpus).map(({ uuid }) => ({ uuid, id, host: byId.get(hostId) })))
  const listed = hosts.flatMap((host) => real(host.inventory?.gpus ?? []).map(({ uuid }) => ({ uuid, host })))
  const holdersOf = new Map([...Map.groupBy(held, ({ uuid }) => uuid)].map(([uuid, by]) => [uuid, by.map(({ id }) => id)]))
  const hostOf = new Map([...held, ...listed].flatMap(({ uuid, host }) => (host === undefined ? [] : [[uuid, host] as const])))
  return { hostOf, holdersOf }
}

interface Asked {
  readonly pauseMs: number
  readonly usedAfter: number
  /** Those that share its cards in release. */
  readonly workerIds: readonly string[]
}

/** The first report begins at once, each further one after a pause. After each, the host is asked which processes the workers have that share its cards. */
function createAsker({ hosts, wake }: CardKeeperDeps, signal: AbortSignal) {
  const asking = new Set<string>()
  const processes = new Map<string, { readonly at: number; readonly pids: HolderPids }>()

  async function look(hostId: string, { pauseMs, usedAfter, workerIds }: Asked): Promise<void> {
    asking.add(hostId)
    try {
      await delay(pauseMs, undefined, { ref: false, signal })
      const host = hosts.list().find((candidate) => candidate.hostId() === hostId)
      await host?.refreshInventory(usedAfter)
      processes.delete(hostId)
      if (host !== undefined && workerIds.length > 0) {
        const at = Date.now()
        processes.set(hostId, { at, pids: (await host.driver.processesOf?.(workerIds)) ?? 'unknowable' })
      }
      wake()
    } catch {
      // Closing, or the host does not answer: it is asked again.
    } finally {
      asking.delete(hostId)
    }
  }
  return {
    ask(hostId: string, asked: Asked): void {
      if (!asking.has(hostId) && !signal.aborted) void look(hostId, asked)
    },
    /** Of workers that share cards in release; undefined where the host was not asked since its latest report. */
    pidsOn(host: HostView | undefined): HolderPids | undefined {
      const found = host === undefined ? undefined : processes.get(host.hostId)
      return found !== undefined && found.at >= (host?.usesAt ?? 0) ? found.pids : undefined
    },
  }
}

/** Tries each card once at a time. A probation that a scaler left behind is tried by the next one. */
function createProber({ hosts, store, log, wake }: CardKeeperDeps, signal: AbortSignal) {
  const probing = new Set<string>()

  async function tryOut(uuid: string, hostId: string): Promise<void> {
    const driver = hosts.list().find((host) => host.hostId() === hostId)?.driver
    if (driver === undefined) return
    const probe = (await driver.probeCard?.(uuid)) ?? { kind: 'passed' }
    signal.throwIfAborted()
    const card = (await store.cards.list()).find((candidate) => candidate.uuid === uuid)
    const next = card && afterProbe(card.claim, probe, Date.now())
    if (card === undefined || next === card.claim || !(await store.cards.putClaim(card, next))) return
    report(log, { before: card.claim, next, facts: { hostId, gpu: uuid } })
  }

  async function run(uuid: string, hostId: string): Promise<void> {
    probing.add(uuid)
    try {
      await tryOut(uuid, hostId)
    } catch (error) {
      if (!signal.aborted) log.warn({ hostId, gpu: uuid, problem: sentenceOf(error) }, 'a card cannot be tried out now')
      await delay(PAUSE_MS, undefined, { ref: false, signal }).catch(() => undefined)
    } finally {
      probing.delete(uuid)
      wake()
    }
  }
  return {
    probe(uuid: string, hostId: string | undefined): void {
      if (hostId !== undefined && !probing.has(uuid) && !signal.aborted) void run(uuid, hostId)
    },
  }
}

const cardsOf = (kind: CardClaim['kind'], claims: ReadonlyMap<string, CardClaim>): readonly string[] =>
  [...claims].flatMap(([uuid, claim]) => (claim.kind === kind ? [uuid] : []))

function hostsOf(
  kind: CardClaim['kind'],
  hostOf: ReadonlyMap<string, HostView>,
  claims: ReadonlyMap<string, CardClaim>,
): ReadonlySet<HostView> {
  return new Set(cardsOf(kind, claims).flatMap((uuid) => hostOf.get(uuid) ?? []))
}

/** When the last of its cards came into release. */
function lastReleaseOf(hostId: string, hostOf: ReadonlyMap<string, HostView>, claims: ReadonlyMap<string, CardClaim>): number {
  const here = [...claims].filter(([uuid, { kind }]) => kind === 'releasing' && hostOf.get(uuid)?.hostId === hostId)
  return Math.max(...here.map(([, { since }]) => since))
}

interface Known extends Seen {
  readonly cards: ReadonlyMap<string, StoredCard>
  readonly claims: ReadonlyMap<string, CardClaim>
  readonly holdersOf: ReadonlyMap<string, readonly string[]>
}

/** A worker that has ended holds nothing, and still what it left is not the card's rest. */
async function noteRests(store: CardKeeperDeps['store'], { hosts, endpoints, cards, claims, holdersOf }: Known): Promise<void> {
  const uses = hosts.flatMap((host) => Object.entries(host.uses ?? {}))
  if (uses.length === 0) return
  const inUse = new Set([...holdersOf.keys(), ...allHoldings({ hosts, endpoints }).flatMap(({ gpuUuids }) => gpuUuids)])
  for (const [uuid, { kind }] of claims) if (kind !== 'free') inUse.add(uuid)
  for (const [uuid, use] of uses.filter(([card]) => !inUse.has(card))) {
    const rest = restOf(cards.get(uuid) ?? {}, use)
    if (rest !== undefined) await store.cards.putRest(uuid, rest)
  }
}
