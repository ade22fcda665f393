// Keeps what is known of cards between workers (ADR 52): judges those in release and in quarantine by the latest report of their host, asks the
// host for the next report while a card waits for it, and notes how a card is used while no worker has it.
import { setTimeout as delay } from 'node:timers/promises'
import { claimsByHost, nextClaim, restOf, sightOf, withCardClaims, type HostView, type Observed } from '@runyard/core'
import type { Logger } from '@runyard/kit'
import type { CardClaim } from '@runyard/schema'
import type { Store, StoredCard } from '@runyard/store'
import type { HostPool } from './host-pool.ts'

export interface CardKeeper extends Disposable {
  /** The hosts without the cards that no worker may have now. */
  judge(seen: Pick<Observed, 'hosts' | 'endpoints'>, now: number): Promise<readonly HostView[]>
}

export interface CardKeeperDeps {
  readonly store: Pick<Store, 'cards'>
  readonly hosts: HostPool
  readonly log: Logger
  /** Called after a report that a card waited for. */
  readonly wake: () => void
}

/** Between two reports that a card waits for. */
const PAUSE_MS = 1000

export function createCardKeeper(deps: CardKeeperDeps): CardKeeper {
  const { store } = deps
  const closing = new AbortController()
  const looking = new Set<string>()

  /** The first report begins at once, each further one after a pause. */
  async function look(hostId: string, pauseMs: number): Promise<void> {
    looking.add(hostId)
    try {
      await delay(pauseMs, undefined, { ref: false, signal: closing.signal })
      await deps.hosts
        .list()
        .find((host) => host.hostId() === hostId)
        ?.refreshInventory()
      deps.wake()
    } catch {
      // Closing.
    } finally {
      looking.delete(hostId)
    }
  }

  return {
    async judge(seen, now) {
      const cards = await store.cards.list()
      const hostOf = new Map(seen.hosts.flatMap((host) => (host.inventory?.gpus ?? []).map(({ uuid }) => [uuid, host] as const)))
      const claims = new Map<string, CardClaim>()
      for (const card of cards) {
        const claim = await judgeOne(deps, { card, host: hostOf.get(card.uuid) }, now)
        if (claim !== undefined) claims.set(card.uuid, claim)
      }
      await noteRests(store, { ...seen, cards, claims })
      for (const { hostId, usesAt = 0 } of waitingHosts(hostOf, claims)) {
        const isAsked = looking.has(hostId) || closing.signal.aborted
        if (!isAsked) void look(hostId, now - usesAt < PAUSE_MS ? PAUSE_MS : 0)
      }
      return seen.hosts.map((host) => withCardClaims(host, claims))
    },
    [Symbol.dispose]: () => closing.abort(),
  }
}

interface Judged {
  readonly card: StoredCard
  readonly host: HostView | undefined
}

async function judgeOne({ store, log }: CardKeeperDeps, { card, host }: Judged, now: number): Promise<CardClaim | undefined> {
  const { claim, uuid } = card
  if (claim === undefined) return undefined
  const next = nextClaim(card, sightOf(uuid, claim.since, host), now)
  if (next === claim) return claim
  // What changed meanwhile is judged in the next tick; until then the card stays out.
  if (!(await store.cards.putClaim(card, next))) return claim
  const facts = { hostId: host?.hostId, gpu: uuid, workerId: claim.workerId }
  if (next?.kind === 'quarantined') log.warn({ ...facts, quarantines: next.quarantines.length }, `card in quarantine: ${next.message}`)
  else if (claim.kind === 'quarantined') log.info(facts, 'card returns from quarantine')
  return next
}

function waitingHosts(hostOf: ReadonlyMap<string, HostView>, claims: ReadonlyMap<string, CardClaim>): ReadonlySet<HostView> {
  const waiting = [...claims].filter(([, { kind }]) => kind === 'releasing')
  return new Set(waiting.flatMap(([uuid]) => hostOf.get(uuid) ?? []))
}

interface Known extends Pick<Observed, 'hosts' | 'endpoints'> {
  readonly cards: readonly StoredCard[]
  readonly claims: ReadonlyMap<string, CardClaim>
}

async function noteRests(store: CardKeeperDeps['store'], { hosts, endpoints, cards, claims }: Known): Promise<void> {
  const inUse = new Set([...claimsByHost({ hosts, endpoints }).values()].flatMap((held) => Object.keys(held)))
  for (const [uuid, { kind }] of claims) if (kind !== 'free') inUse.add(uuid)
  const known = new Map(cards.map((card) => [card.uuid, card]))
  const uses = hosts.flatMap((host) => Object.entries(host.uses ?? {})).filter(([uuid]) => !inUse.has(uuid))
  for (const [uuid, use] of uses) {
    const rest = restOf(known.get(uuid) ?? {}, use)
    if (rest !== undefined) await store.cards.putRest(uuid, rest)
  }
}
