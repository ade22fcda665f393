// Standby workers (ADR 56): containers of the default image in which our agent and Python run and wait for an endpoint. A worker id is chosen when one is
// made. The scaler that takes it writes a record with that id; the start of this worker then only hands over the environment. Until then the driver does not
// list it. One that is not handed over by this driver is listed like any worker: without a record the scaler removes it, so a killed scaler leaves none.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostStandby, WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { adjustableLimits, environmentOf, LABELS } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'
import type { StandbyLine } from './standby-line.ts'

export interface Standbys extends AsyncDisposable {
  keep(wanted: HostStandby | undefined): void
  /** The id of a running one that can be given these limits, given once. */
  take(limits: WorkerLimits): string | undefined
  /** No endpoint has taken it yet. */
  readonly holds: (workerId: string) => boolean
  /** It was given to a worker that may not have started yet. */
  readonly gave: (workerId: string) => boolean
  /** The prepared worker takes on the endpoint; false: it cannot, so the worker starts as any other. */
  handOver(launch: WorkerLaunch): Promise<boolean>
  readonly count: () => number
  /** Why the last try to start one failed. */
  readonly problem: () => string | undefined
  note(containers: readonly Pick<Docker.ContainerInfo, 'Labels' | 'State'>[], askedAt: number): void
}

export interface StandbysOptions {
  /** Starts a container that waits; resolves when it runs. */
  readonly start: (launch: WorkerLaunch) => Promise<StandbyLine>
  readonly remove: (workerId: string) => Promise<void>
  /** Resolves when no start has been under way for a while. */
  readonly quiet: (signal: AbortSignal) => Promise<void>
  readonly warn: (message: string) => void
}

const ENDS_WITHIN_MS = 5000

type WorkerLimits = Pick<WorkerLaunch, 'cpus' | 'memoryBytes'>

const UNLIMITED: WorkerLimits = { cpus: undefined, memoryBytes: undefined }

export function createStandbys(options: StandbysOptions): Standbys {
  const state: State = { own: new Map(), given: new Map(), removals: new Set(), wanted: undefined, problem: undefined, usual: UNLIMITED }
  const { own, given } = state
  const { warn } = options
  const { letGo, running } = createEnding(state, options)
  const filler = createFiller(state, { ...options, letGo, running })
  return {
    keep(next) {
      if (!isSame(state.wanted?.launch, next?.launch)) letGo(running())
      state.wanted = next
      if (next === undefined) state.problem = undefined
      letGo(running().slice(next?.count ?? 0))
      filler.soon()
    },
    take(limits) {
      state.usual = limits
      const id = bestFor(limits, state)
      const waiting = own.get(id ?? '')
      if (id === undefined || waiting === undefined) {
        // Others are made for what is asked for now.
        letGo(running())
        return undefined
      }
      own.delete(id)
      given.set(id, waiting)
      return id
    },
    handOver: (launch) => handOver(launch, given.get(launch.workerId), warn),
    holds: (workerId) => own.has(workerId),
    gave: (workerId) => given.has(workerId),
    count: () => running().length,
    problem: () => state.problem,
    note(containers, askedAt) {
      const alive = new Set(containers.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[LABELS.worker]))
      for (const id of given.keys()) if (!alive.has(id)) given.delete(id)
      letGo(running().filter((id) => !alive.has(id) && askedAt > (own.get(id)?.since ?? 0)))
      filler.soon()
    },
    async [Symbol.asyncDispose]() {
      state.wanted = undefined
      // An engine that is away holds up nothing; what is left there has no record.
      await Promise.race([filler.stop(), delay(ENDS_WITHIN_MS, undefined, { ref: false })])
      letGo(running())
      await Promise.race([Promise.all(state.removals), delay(ENDS_WITHIN_MS, undefined, { ref: false })])
    },
  }
}

interface Waiting {
  /** When it ran, epoch ms. */
  readonly since: number
  readonly launch: WorkerLaunch
  readonly line: StandbyLine
}

interface State {
  /** By worker id; undefined while it starts. */
  readonly own: Map<string, Waiting | undefined>
  readonly given: Map<string, Waiting>
  readonly removals: Set<Promise<void>>
  wanted: HostStandby | undefined
  problem: string | undefined
  /** What was asked for last: the next ones begin with these limits, since each change of limits takes the engine a tenth of a second. */
  usual: WorkerLimits
}

/** No engine lifts a limit. The first one that needs no change, else the first one. */
function bestFor(limits: WorkerLimits, { own }: State): string | undefined {
  const fit = [...own].filter(
    ([, waiting]) => waiting !== undefined && LIMITS.every((name) => mayBecome(waiting.launch[name], limits[name])),
  )
  const [best] = fit.toSorted(([, one], [, other]) => changesOf(one, limits) - changesOf(other, limits))
  return best?.[0]
}

const LIMITS = ['cpus', 'memoryBytes'] as const

const mayBecome = (has: number | undefined, wants: number | undefined): boolean => has === undefined || wants !== undefined

const changesOf = (waiting: Waiting | undefined, limits: WorkerLimits): number =>
  LIMITS.filter((name) => waiting?.launch[name] !== limits[name]).length

function createEnding({ own, removals }: State, { remove, warn }: StandbysOptions) {
  return {
    running: (): string[] => [...own].flatMap(([id, waiting]) => (waiting === undefined ? [] : [id])),
    letGo: (ids: readonly string[]): void => {
      for (const id of ids) {
        own.get(id)?.line.close()
        own.delete(id)
        const removal = remove(id)
          .catch((error: unknown) => warn(`a standby worker cannot be removed: ${messageOf(error)}`))
          .finally(() => removals.delete(removal))
        removals.add(removal)
      }
    },
  }
}

type Filling = StandbysOptions & ReturnType<typeof createEnding>

/** Starts what is lacking, one after another. */
function createFiller(state: State, { start, quiet, warn, letGo, running }: Filling) {
  const stopping = new AbortController()
  const lacks = (): boolean => state.own.size < (state.wanted?.count ?? 0)
  let filling: Promise<void> | undefined

  async function make(launch: WorkerLaunch): Promise<void> {
    const workerId = newWorkerId()
    state.own.set(workerId, undefined)
    try {
      const limited = { ...launch, ...state.usual, workerId }
      const line = await start(limited)
      state.own.set(workerId, { since: Date.now(), launch: limited, line })
      state.problem = undefined
      // Another one may be wanted by now.
      if (!isSame(state.wanted?.launch, launch)) letGo([workerId])
    } catch (error) {
      letGo([workerId])
      throw error
    }
  }

  async function fill(): Promise<void> {
    try {
      while (lacks()) {
        await quiet(stopping.signal)
        if (state.wanted !== undefined && lacks()) await make(state.wanted.launch)
      }
    } catch (error) {
      // The next listing tries again, and what is wrong is reported once.
      const problem = messageOf(error)
      if (!stopping.signal.aborted && state.problem !== problem) warn(`no standby worker can be started: ${problem}`)
      state.problem = problem
    }
    letGo(running().slice(state.wanted?.count ?? 0))
  }
  return {
    soon: (): void => {
      if (stopping.signal.aborted || !lacks()) return
      filling ??= fill().finally(() => (filling = undefined))
    },
    stop: async (): Promise<void> => {
      stopping.abort()
      await filling
    },
  }
}

const isSame = (one: WorkerLaunch | undefined, other: WorkerLaunch | undefined): boolean => JSON.stringify(one) === JSON.stringify(other)

/** As the scaler makes them: a DNS label of lower-case letters and digits. */
function newWorkerId(): string {
  return BigInt(`0x${randomBytes(9).toString('hex')}`)
    .toString(36)
    .padStart(14, '0')
}

async function handOver(launch: WorkerLaunch, waiting: Waiting | undefined, warn: StandbysOptions['warn']): Promise<boolean> {
  if (waiting?.line.isOpen() !== true) return false
  const limits = changed(adjustableLimits(waiting.launch), adjustableLimits(launch))
  try {
    await waiting.line.handOver({ limits, env: environmentOf(launch) })
    return true
  } catch (error) {
    warn(`a standby worker did not take on its endpoint: ${messageOf(error)}`)
    return false
  }
}

/** The limits that the prepared container does not have yet. */
function changed(has: Docker.HostConfig, wants: Docker.HostConfig): Docker.HostConfig {
  const before = new Map(Object.entries(has))
  return Object.fromEntries(Object.entries(wants).filter(([name, value]) => before.get(name) !== value))
}
