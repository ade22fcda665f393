// The parts that belong to one term: opened when this scaler begins to lead, closed when it no longer leads. Their running work is then aborted, and
// their pending writes are rejected, because they carry an old term.
import type { Store } from '@runyard/store'
import type { ActDeps } from './act-deps.ts'
import { createActor, type Actor } from './act.ts'
import { openBuildKeeper } from './build-keeper.ts'
import { createCardKeeper, type CardKeeper } from './card-keeper.ts'
import type { Gate } from './gate.ts'
import { createHistoryKeeper, type HistoryKeeper } from './history-keeper.ts'
import { openImageKeeper } from './image-keeper.ts'
import { createHostSights, type HostSights } from './host-sights.ts'
import type { Term } from './leadership.ts'
import { createLogFollower, type LogFollower } from './log-follower.ts'
import { createPrePull, type PrePull } from './pre-pull.ts'
import { createReadiness, type Readiness } from './readiness.ts'
import { createStartProgress, type StartProgress, createStatusWriter, type StatusWriter } from './status-writer.ts'
import { createStrangers, type Strangers } from './strangers.ts'
import { openVolumeKeeper } from './volumes.ts'
import { createXidKeeper, type XidKeeper } from './xid-keeper.ts'
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { Config } from '@runyard/schema'
import { isStale } from './chains.ts'

export interface Session extends AsyncDisposable {
  readonly term: Term
  /** The store under this term. */
  readonly store: Store
  readonly actor: Actor
  readonly logs: LogFollower
  readonly statuses: StatusWriter
  readonly sights: HostSights
  readonly history: HistoryKeeper
  readonly startProgress: StartProgress
  readonly strangers: Strangers
  readonly cards: CardKeeper
  readonly xids: XidKeeper
  readonly prePull: PrePull
  readonly readiness: Readiness
}

export interface SessionDeps extends Omit<ActDeps, 'logs'> {
  readonly openLogs?: () => LogFollower
}

export type Sessions = ReturnType<typeof createSessions>

/** The parts of the last term may still be closing during the next one, which does no harm. */
export function createSessions(deps: SessionDeps, onDone: () => void) {
  const ending = new Set<Promise<void>>()
  let open: Session | undefined

  const end = (session: Session): void => {
    if (open === session) open = undefined
    const ended = close(session).finally(() => ending.delete(ended))
    ending.add(ended)
  }
  return {
    under(term: Term): Session {
      if (open?.term === term) return open
      if (open !== undefined) end(open)
      const session = openSession(deps, term, onDone)
      open = session
      term.signal.addEventListener('abort', () => end(session), { once: true })
      return session
    },
    async [Symbol.asyncDispose]() {
      if (open !== undefined) end(open)
      await Promise.all(ending)
    },
  }
}

async function close(session: Session): Promise<void> {
  await session[Symbol.asyncDispose]()
}

function openSession(deps: SessionDeps, term: Term, onDone: () => void): Session {
  const store = { ...deps.store, ...deps.store.underTerm(term.number) }
  const { log } = deps
  const logs = deps.openLogs?.() ?? createLogFollower({ store, log })
  const actor = createActor({ ...deps, store, logs, gate: guard(deps.gate, term) }, onDone)
  const ledger = openLedgerTidy({ store, config: deps.config, log })
  const imageKeeper = openImageKeeper({ ...deps, store })
  const volumeKeeper = openVolumeKeeper({ ...deps, store })
  const buildKeeper = openBuildKeeper({ ...deps, store })
  const cards = createCardKeeper({ store, hosts: deps.hosts, log, wake: onDone })
  const prePull = createPrePull({ ...deps, store, log, wake: onDone })
  const readiness = createReadiness(deps)
  let ended: Promise<void> | undefined
  return {
    term,
    store,
    actor,
    logs,
    statuses: createStatusWriter({ store, log }),
    sights: createHostSights({ store, hosts: deps.hosts }),
    history: createHistoryKeeper({ store, log }),
    startProgress: createStartProgress({ store }),
    strangers: createStrangers(),
    cards,
    xids: createXidKeeper({ store, hosts: deps.hosts, memory: deps.memory, log, wake: onDone }),
    prePull,
    readiness,
    [Symbol.asyncDispose]() {
      cards[Symbol.dispose]()
      prePull[Symbol.dispose]()
      readiness[Symbol.dispose]()
      ended ??= Promise.all([actor, logs, ledger, imageKeeper, volumeKeeper, buildKeeper].map((part) => part[Symbol.asyncDispose]())).then(
        () => undefined,
      )
      return ended
    },
  }
}

/** Operations on a host carry no term, so the term is checked right before each. */
function guard(gate: Gate, term: Term): Gate {
  return (limit, work) =>
    gate(limit, () => {
      term.assertHeld()
      return work()
    })
}

const EVERY_MS = 60 * 60 * 1000
const DAY_MS = 24 * EVERY_MS

interface LedgerTidyDeps {
  /** Under the term. */
  readonly store: Pick<Store, 'ledger'>
  readonly config: Pick<Config, 'billing'>
  readonly log: Logger
}

/** Adds up old rows of the billing ledger once an hour (ADR 43); within a term, so that only the leader does it. */
function openLedgerTidy({ store, config, log }: LedgerTidyDeps): Loop {
  const loop = createLoop({
    name: 'ledger',
    async tick(now) {
      try {
        const tidied = await store.ledger.tidy(now, config.billing.keepIntervalsDays * DAY_MS)
        if (Object.values(tidied).some((count) => count > 0)) log.info(tidied, 'added up what is old in the ledger')
      } catch (error) {
        // The scaler that leads now does so.
        if (!isStale(error)) throw error
      }
      return now + EVERY_MS
    },
    log,
    maxSleepMs: EVERY_MS,
  })
  loop.start()
  return loop
}
