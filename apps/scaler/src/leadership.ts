// Decides whether this scaler leads (ADR 33). The leader holds the lease in Redis, renews it while its ticks succeed, and trusts it only until it
// expires by its own clocks. The lease of another scaler ends the term at once. While Redis is unavailable the term is only paused, because no other
// can begin. Failure direction: no leader for some seconds, never two.
import { randomUUID } from 'node:crypto'
import { sentenceOf, type Logger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Holding, LeaderFacts, LeaderStore } from '@runyard/store'

export interface Term {
  readonly number: number
  /** Aborts when the term is over. */
  readonly signal: AbortSignal
  /** @throws RunyardError('stale_term') unless the lease is surely held at this moment. Asked before each step that cannot be undone. */
  assertHeld(): void
}

/** `elsewhere`: another scaler leads, and this one stands by. */
export type Standing = { readonly kind: 'leads'; readonly term: Term } | { readonly kind: 'elsewhere'; readonly leader: LeaderFacts }

export interface Leadership extends AsyncDisposable {
  /** The term that is surely held at this moment. */
  current(): Term | undefined
  /** Asks Redis, and takes the lease where it is free. @throws where Redis cannot be asked. */
  look(): Promise<Standing>
  /** A write was refused since another leads. */
  lose(): void
}

export interface LeadershipOptions {
  readonly store: LeaderStore
  readonly facts: LeaderFacts
  readonly log: Logger
  /** Whether the scaler does its work; the lease of one that hangs runs out. */
  readonly isWorking: () => boolean
  /** Whether the leader is seen to be dead: then its lease is not waited for. */
  readonly isGone?: (leader: LeaderFacts) => boolean
  readonly ttlMs?: number
}

const TTL_MS = 10_000

/** Two clocks: one may be set, the other stands still while the machine sleeps. */
interface Clock {
  readonly wall: number
  readonly steady: number
}

const readClock = (): Clock => ({ wall: Date.now(), steady: performance.now() })

export function openLeadership(options: LeadershipOptions): Leadership {
  const { store, log, isWorking, ttlMs = TTL_MS } = options
  const owner = randomUUID()
  const hand = createHand(log, ttlMs)
  let leaderSeen: string | undefined
  let looking: Promise<Standing> | undefined

  function standBy(leader: LeaderFacts): Standing {
    hand.drop('another scaler leads by now: what was under way is left to it')
    const name = `process ${leader.pid} on ${leader.machine}`
    if (leaderSeen !== name) log.info({ leader }, `stands by: the scaler of ${name} leads`)
    leaderSeen = name
    return { kind: 'elsewhere', leader }
  }
  async function ask(): Promise<Standing> {
    const since = readClock()
    const holding = await holdOrReplace(options, { owner, term: hand.number() })
    if (holding.kind === 'others') return standBy(holding.leader)
    leaderSeen = undefined
    return { kind: 'leads', term: hand.take(holding.term, since) }
  }
  /** One question at a time. */
  const look = (): Promise<Standing> => {
    looking ??= ask().finally(() => {
      looking = undefined
    })
    return looking
  }
  const release = (): Promise<void> => store.release(owner).catch(() => undefined)
  const timer = setInterval(() => {
    if (hand.number() === undefined || !isWorking()) return
    look().catch((error: unknown) => log.debug({ problem: sentenceOf(error) }, 'the lease was not renewed'))
  }, ttlMs / 5)

  return {
    current: () => hand.term(),
    look,
    lose() {
      hand.drop('a write was refused, since another scaler leads by now')
      // Where it is ours after all, the next term is a later one.
      void release()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking?.catch(() => undefined)
      if (hand.number() === undefined) return
      hand.drop()
      await release()
    },
  }
}

async function holdOrReplace(
  { store, facts, log, isGone = () => false, ttlMs = TTL_MS }: LeadershipOptions,
  { owner, term }: { readonly owner: string; readonly term: number | undefined },
): Promise<Holding> {
  const holding = await store.hold(owner, { ttlMs, facts, term })
  if (holding.kind === 'held' || !isGone(holding.leader)) return holding
  log.info({ leader: holding.leader }, 'the scaler that led is gone')
  await store.release(holding.owner)
  return store.hold(owner, { ttlMs, facts, term })
}

/** The term in hand, if any, and since when it was renewed last. */
function createHand(log: Logger, ttlMs: number) {
  let held: { readonly term: Term; readonly stop: AbortController; since: Clock } | undefined

  const isFresh = (since: Clock): boolean => {
    const now = readClock()
    return now.steady - since.steady < ttlMs && now.wall - since.wall < ttlMs
  }
  const drop = (why?: string): void => {
    if (held === undefined) return
    if (why !== undefined) log.warn({ term: held.term.number }, why)
    held.stop.abort()
    held = undefined
  }
  const begin = (number: number): { term: Term; stop: AbortController } => {
    const stop = new AbortController()
    const assertHeld = (): void => {
      if (held?.stop === stop && isFresh(held.since)) return
      throw new RunyardError('stale_term', 'This scaler is not sure that it still leads.')
    }
    log.info({ term: number }, 'this scaler leads')
    return { term: { number, signal: stop.signal, assertHeld }, stop }
  }
  return {
    /** Also of a term that is paused. */
    number: (): number | undefined => held?.term.number,
    /** Where it is surely held. */
    term: (): Term | undefined => (held !== undefined && isFresh(held.since) ? held.term : undefined),
    take(number: number, since: Clock): Term {
      if (held?.term.number !== number) drop('the lease was lost for a moment: a new term begins')
      held = { ...(held ?? begin(number)), since }
      return held.term
    },
    drop,
  }
}
