// The scaler: one tick of observe → plan → act → sleep until due, while it leads (ADR 33); else it looks at its hosts and asks for the lease. Signals and
// host events only wake it. It can be stopped at any moment and leaves workers running, because observing is recovery.
import { isDraining, plan, type Action, type EndpointView, type Observed, type Plan, type PlanPolicy } from '@runyard/core'
import { createLoop, type Logger } from '@runyard/kit'
import type { Config, HostSource, Signal } from '@runyard/schema'
import type { LeaderFacts, Store } from '@runyard/store'
import root from '../../../package.json' with { type: 'json' }
import { createBuilds } from './builds.ts'
import { createModels, type Models } from './models.ts'
import { isStale } from './chains.ts'
import { createContinuity, type Continuity } from './continuity.ts'
import { drainAll } from './drain.ts'
import { createEndpointReads, type EndpointReads } from './endpoint-reads.ts'
import { createGate } from './gate.ts'
import { openHostPool, type HostPool } from './host-pool.ts'
import { createImages, type Images } from './images.ts'
import { createKeyLimits, type KeyLimits } from './key-limits.ts'
import { openLeadership, type Leadership, type Standing, type Term } from './leadership.ts'
import type { LogFollower } from './log-follower.ts'
import { createMemory, type Memory } from './memory.ts'
import { createNumbers, type Numbers } from './numbers.ts'
import { observe, type ObserveDeps } from './observe.ts'
import { createSessions, type Session, type Sessions } from './session.ts'
import { createWaker, urgencyOf, type Known } from './wake-rules.ts'

export interface ScalerOptions {
  readonly store: Store
  /** Closed by who opened it. */
  readonly source: HostSource
  readonly config: Config
  readonly log: Logger
  readonly caBundle: string | undefined
  readonly authority: () => Promise<string | undefined>
  readonly policy: PlanPolicy
  readonly planeUpSince: () => number | undefined
  /** Opened once a term; default: logs are followed in this thread. */
  readonly openLogs?: () => LogFollower
  /** What others can read about this scaler while it leads. */
  readonly facts: LeaderFacts
  /** Whether that leader is seen to be dead. */
  readonly isGone?: (leader: LeaderFacts) => boolean
  /** How long its lease lasts without being renewed; default 10 s. */
  readonly leaderTtlMs?: number
  /** Called with each change: it leads, or another one does. */
  readonly onStanding?: (standing: Standing) => void
}

export type Scaler = Awaited<ReturnType<typeof openScaler>>

const MAX_SLEEP_MS = 5000
const ACTIONS_AT_ONCE = { perHost: 16, undyingPerHost: 2 }
/** Without an observation for this long, the machine slept or this process hung. */
const LONGEST_GAP_MS = 15_000
/** How often a scaler that stands by asks for the lease. */
const STANDBY_LOOK_MS = 1000
/** One whose ticks fail for longer lets another one try. */
const WORKING_WITHIN_MS = 30_000

interface State {
  shutdown: boolean
  known: Known
  /** Workers that shutdown has still to clear away; undefined: no tick has counted them. */
  remaining: number | undefined
  /** Of the last tick that went through. */
  workedAt: number
  standing: Standing | undefined
  /** Redis, as the ticks see it. */
  readonly redis: Continuity
}

function createState(): State {
  const none: ReadonlySet<string> = new Set()
  const known = { supplied: none, full: none, waiting: none, draining: none }
  return {
    shutdown: false,
    known,
    remaining: undefined,
    workedAt: Date.now(),
    standing: undefined,
    redis: createContinuity(LONGEST_GAP_MS),
  }
}

export async function openScaler(options: ScalerOptions) {
  const { store, log } = options
  await using opening = new AsyncDisposableStack()
  const state = createState()
  const memory = createMemory()
  const loop = createLoop({ name: 'scaler', tick: (now) => tick(now), log, maxSleepMs: MAX_SLEEP_MS })
  const waker = opening.use(createWaker(() => loop.wake()))
  const wake = (): void => waker.wake('now')
  const leadership = opening.use(lead(options, state))
  const hosts = opening.use(await openHostPool(options, wake))
  const numbers = opening.use(createNumbers(root.version))
  const parts = {
    ...options,
    hosts,
    memory,
    numbers,
    images: createImages(store.privateImages, { ...options.config.images, onPulled: (host, bytes) => numbers.imagePulled(host, bytes) }),
    builds: createBuilds(store, options.config.images),
    models: createModels(options),
    gate: createGate(ACTIONS_AT_ONCE),
  }
  const sessions = opening.use(createSessions(parts, wake))
  const reads = createEndpointReads()
  const keyLimits = createKeyLimits(store, options.config)
  const tick = createTick({ ...parts, state, leadership, sessions, reads, keyLimits })
  opening.use(store.subscribe((signal) => onSignal(signal)))

  function onSignal(signal: Signal): void {
    reads.note(signal)
    keyLimits.note(signal)
    // A scaler that stands by has nothing else to do about it.
    if (leadership.current() === undefined) return
    if (signal.kind === 'job-stop') memory.noteStopRequest(signal.workerId, { at: Date.now(), why: 'cancel' })
    waker.wake(urgencyOf(signal, state.known))
  }

  opening.use(loop)
  const opened = opening.move()
  return {
    loop,
    /**
     * Retires every worker and starts none; resolves when all are gone, or at once where another scaler leads: they are that one's. False: workers are
     * left running. `onTrouble` is called once with why nothing can be drained now.
     */
    drainAll: (onTrouble: (sentence: string) => void = () => {}): Promise<boolean> => drainAll({ loop, state, log, onTrouble }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function lead({ store, facts, log, isGone, leaderTtlMs: ttlMs }: ScalerOptions, state: State): Leadership {
  const isWorking = (): boolean => Date.now() - state.workedAt < WORKING_WITHIN_MS
  const more = { ...(isGone === undefined ? {} : { isGone }), ...(ttlMs === undefined ? {} : { ttlMs }) }
  return openLeadership({ store: store.leader, facts, log, isWorking, ...more })
}

interface TickDeps extends ScalerOptions {
  readonly hosts: HostPool
  readonly memory: Memory
  readonly numbers: Numbers
  readonly state: State
  readonly leadership: Leadership
  readonly sessions: Sessions
  readonly reads: EndpointReads
  readonly keyLimits: KeyLimits
  readonly images: Images
  readonly models: Models
}

/** So many times a tick reads what it would act on and plans again; what is left then waits for the next tick. */
const MOST_READS = 3

function createTick({ state, leadership, sessions, ...deps }: TickDeps): (now: number) => Promise<number> {
  async function leadingTerm(): Promise<Term | undefined> {
    const term = leadership.current()
    const standing: Standing = term === undefined ? await leadership.look() : { kind: 'leads', term }
    const before = state.standing
    state.standing = standing
    if (before?.kind !== standing.kind) deps.onStanding?.(standing)
    return standing.kind === 'leads' ? standing.term : undefined
  }

  async function work(session: Session, now: number): Promise<number> {
    const { store, strangers, cards, xids, actor, term } = session
    const inFlight = () => actor.inFlight()
    const isShuttingDown = () => state.shutdown
    const parts = { ...deps, store, strangers, cards, xids, inFlight, redis: state.redis, isShuttingDown }
    const { observed, decided } = await decide(parts, now)
    term.assertHeld()
    return carryOut({ observed, decided }, now, { session, hosts: deps.hosts, numbers: deps.numbers, state })
  }

  return async (now) => {
    const term = await leadingTerm()
    if (term === undefined) return now + STANDBY_LOOK_MS
    try {
      const beganAt = performance.now()
      const due = await work(sessions.under(term), now)
      state.workedAt = Date.now()
      deps.numbers.ticked(performance.now() - beganAt, state.workedAt)
      return due
    } catch (error) {
      if (!isStale(error)) throw error
      // A refused write although the lease seems to be held: another scaler leads. Otherwise the term may only be paused; the next look decides.
      if (leadership.current() === term) leadership.lose()
      return now
    }
  }
}

interface TickParts {
  readonly session: Session
  readonly hosts: HostPool
  readonly numbers: Numbers
  readonly state: State
}

interface Decision {
  readonly observed: Observed
  readonly decided: Plan
}

/** Only what was read in this tick is acted on; an action on anything older makes the tick read its endpoint and plan again. */
async function decide(deps: ObserveDeps, now: number): Promise<Decision> {
  const since = Date.now()
  const asked = new Set<string>()
  for (let round = 1; ; round++) {
    const observed = await observe(deps, now, asked)
    const decided = plan(observed, now)
    const old = decided.actions.filter((action) => needsReading(action) && !deps.reads.isFresh(action.endpointId, since))
    if (old.length === 0) return { observed, decided }
    if (round === MOST_READS) {
      const left = new Set<Action>(old)
      return { observed, decided: { ...decided, actions: decided.actions.filter((action) => !left.has(action)), nextDueAt: now } }
    }
    for (const { endpointId } of old) asked.add(endpointId)
  }
}

/** A sweep reads for itself what it ends. */
function needsReading({ kind }: Action): boolean {
  return kind !== 'sweep'
}

async function carryOut({ observed, decided }: Decision, now: number, parts: TickParts): Promise<number> {
  const endpoints = new Map(
    observed.endpoints.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [[endpoint.id as string, endpoint]])),
  )
  parts.numbers.decided(decided.actions)
  await parts.session.actor.apply(decided.actions, endpoints)
  followLogs(observed, parts)
  parts.session.startProgress.note(observed, now)
  parts.session.prePull.note(observed, now)
  parts.session.readiness.note(observed)
  parts.state.known = knownEndpoints(observed)
  parts.state.remaining = remainingWorkers(observed)
  const { prePull } = parts.session
  const statuses = new Map([...decided.statuses].map(([id, status]) => [id, prePull.report(id, status)]))
  const { store, actor } = parts.session
  await Promise.all([
    parts.session.statuses.write(statuses, now),
    parts.session.sights.write(observed, now),
    parts.session.history.note({ observed, statuses }, now),
    parts.numbers.report({ store, observed, inFlight: actor.inFlight().size, now }),
  ])
  return decided.nextDueAt
}

/** Workers that started under an earlier scaler are followed again from here. */
function followLogs(observed: Observed, { session: { logs }, hosts }: TickParts): void {
  const known = new Set(observed.endpoints.flatMap((view) => view.workers.map((worker) => worker.id)))
  for (const host of observed.hosts) {
    const driver = hosts.list().find((watch) => watch.hostId() === host.hostId)?.driver
    for (const worker of host.workers ?? []) {
      if (driver !== undefined && worker.state === 'running' && known.has(worker.workerId)) logs.follow(driver, worker.workerId)
    }
  }
}

/** What shutdown still has to clear away; a host that does not answer is not waited for. */
function remainingWorkers({ endpoints, hosts }: Observed): number {
  const answering = hosts.filter((host) => host.workers !== undefined)
  const records = endpoints.flatMap((view) => view.workers).filter((worker) => answering.some((host) => host.hostId === worker.hostId))
  const containers = answering.flatMap((host) => host.workers ?? [])
  return new Set([...records.map((worker) => worker.id), ...containers.map((worker) => worker.workerId)]).size
}

function knownEndpoints({ endpoints }: Observed): Known {
  const idsOf = (is: (view: EndpointView) => boolean): ReadonlySet<string> => new Set(endpoints.filter(is).map((view) => view.endpointId))
  return {
    supplied: idsOf((view) => takersOf(view) > 0),
    full: idsOf((view) => takersOf(view) >= (view.endpoint?.settings.workersMax ?? Infinity)),
    waiting: idsOf(({ demand }) => demand.waiting > 0),
    draining: idsOf((view) => takersOf(view) < view.workers.length),
  }
}

const takersOf = ({ workers }: EndpointView): number => workers.filter((worker) => !isDraining(worker)).length
