// The scaler: one tick of observe → plan → act → sleep until due (design §3 "One tick"). Signals and host events only wake it; without
// them it looks every few seconds. It can be stopped at any moment and leaves workers running, because observing is recovery.
import { parseSimulatedGpus, plan, type EndpointView, type Observed, type PlanPolicy } from '@runyard/core'
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import type { Config, HostDriver, Signal } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { createActor, type Actor } from './act.ts'
import { createContinuity, type Continuity } from './continuity.ts'
import { createGate } from './gate.ts'
import { openHostWatch, type HostWatch } from './host-watch.ts'
import { createImages } from './images.ts'
import { createLogFollower, type LogFollower } from './log-follower.ts'
import { createMemory } from './memory.ts'
import { observe } from './observe.ts'
import { createStatusWriter, type StatusWriter } from './status-writer.ts'
import { createWaker, urgencyOf, type Known } from './wake-rules.ts'

export interface ScalerOptions {
  readonly store: Store
  readonly drivers: readonly HostDriver[]
  readonly config: Config
  readonly log: Logger
  readonly planeUrl: string
  readonly caBundle: string | undefined
  readonly policy: PlanPolicy
  readonly planeUpSince: () => number | undefined
}

export interface Scaler extends AsyncDisposable {
  readonly loop: Loop
  /** Retires every worker and starts none; resolves when all are gone. */
  drainAll(): Promise<void>
}

const MAX_SLEEP_MS = 5000
const ACTIONS_AT_ONCE = 16
/** Nobody looked for this long: the machine slept, or this process hung. */
const LONGEST_GAP_MS = 15_000

interface State {
  shutdown: boolean
  known: Known
  remaining: number
  /** Redis, as the ticks see it. */
  readonly redis: Continuity
}

function createState(): State {
  const none: ReadonlySet<string> = new Set()
  const known = { supplied: none, full: none, waiting: none, draining: none }
  return { shutdown: false, known, remaining: 0, redis: createContinuity(LONGEST_GAP_MS) }
}

export async function openScaler(options: ScalerOptions): Promise<Scaler> {
  const { store, config, log } = options
  await using opening = new AsyncDisposableStack()
  const state = createState()
  const memory = createMemory()
  const loop = createLoop({ name: 'scaler', tick: (now) => tick(now), log, maxSleepMs: MAX_SLEEP_MS })
  const waker = opening.use(createWaker(() => loop.wake()))
  const hosts = await openHosts(options, opening, () => waker.wake('now'))
  const logs = opening.use(createLogFollower({ store, log }))
  const statuses = createStatusWriter({ store, log })
  const gate = createGate(ACTIONS_AT_ONCE)
  const images = createImages()
  const actor = opening.use(createActor({ ...options, config, hosts, images, logs, memory, gate }, () => waker.wake('now')))
  opening.use(store.subscribe((signal) => onSignal(signal)))

  function onSignal(signal: Signal): void {
    if (signal.kind === 'job-stop') memory.noteStopRequest(signal.workerId, { at: Date.now(), why: 'cancel' })
    waker.wake(urgencyOf(signal, state.known))
  }

  async function tick(now: number): Promise<number> {
    const observed = await observe(
      {
        store,
        hosts,
        memory,
        policy: options.policy,
        inFlight: () => actor.inFlight(),
        planeUpSince: options.planeUpSince,
        redis: state.redis,
        isShuttingDown: () => state.shutdown,
      },
      now,
    )
    return carryOut(observed, now, { actor, statuses, logs, hosts, state })
  }

  opening.use(loop)
  const opened = opening.move()
  return {
    loop,
    async drainAll() {
      state.shutdown = true
      do {
        await loop.tick()
        if (state.remaining > 0) await new Promise((resolve) => setTimeout(resolve, 100))
      } while (state.remaining > 0)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function openHosts(options: ScalerOptions, stack: AsyncDisposableStack, onChange: () => void): Promise<readonly HostWatch[]> {
  const simulated = parseSimulatedGpus(options.config.simulatedGpus)
  return Promise.all(
    options.drivers.map(async (driver) => stack.use(await openHostWatch({ driver, simulated, log: options.log, onChange }))),
  )
}

interface TickParts {
  readonly actor: Actor
  readonly statuses: StatusWriter
  readonly logs: LogFollower
  readonly hosts: readonly HostWatch[]
  readonly state: State
}

async function carryOut(observed: Observed, now: number, parts: TickParts): Promise<number> {
  const decided = plan(observed, now)
  const endpoints = new Map(
    observed.endpoints.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [[endpoint.id as string, endpoint]])),
  )
  await parts.actor.apply(decided.actions, endpoints)
  followLogs(observed, parts)
  parts.state.known = knownEndpoints(observed)
  parts.state.remaining = remainingWorkers(observed)
  await parts.statuses.write(decided.statuses, now)
  return decided.nextDueAt
}

/** Workers that started under an earlier scaler are followed again from here. */
function followLogs(observed: Observed, { logs, hosts }: TickParts): void {
  const known = new Set(observed.endpoints.flatMap((view) => view.workers.map((worker) => worker.id)))
  for (const host of observed.hosts) {
    const driver = hosts.find((watch) => watch.driver.hostId === host.hostId)?.driver
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

function takersOf({ workers }: EndpointView): number {
  return workers.filter(({ drainingSince }) => drainingSince === undefined).length
}
