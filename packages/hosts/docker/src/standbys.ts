// Standby workers (ADR 56): containers of the default image in which our agent and Python run and wait for an endpoint. The start of a worker that has the
// id of one then only hands over the environment. Until then the driver does not list it. One that is not handed over by this driver is listed like any
// worker: without a record the scaler removes it, so a killed scaler leaves none.
import { createStandbyPool, type StandbyPool } from '@runyard/kit'
import type { WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { adjustableLimits, environmentOf, LABELS } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'
import type { StandbyLine } from './standby-line.ts'

export interface Standbys extends Pick<StandbyPool<Waiting>, 'keep' | 'holds' | 'problem'>, AsyncDisposable {
  /** The id of a running one that can be given these limits, given once. */
  take(limits: WorkerLimits): string | undefined
  /** It was given to a worker that may not have started yet. */
  readonly gave: (workerId: string) => boolean
  /** The prepared worker takes on the endpoint; false: it cannot, so the worker starts as any other. */
  handOver(launch: WorkerLaunch): Promise<boolean>
  readonly count: () => number
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

type WorkerLimits = Pick<WorkerLaunch, 'cpus' | 'memoryBytes'>

const UNLIMITED: WorkerLimits = { cpus: undefined, memoryBytes: undefined }

interface Waiting {
  /** When it ran, epoch ms. */
  readonly since: number
  readonly launch: WorkerLaunch
  readonly line: StandbyLine
}

export function createStandbys({ start, remove, quiet, warn }: StandbysOptions): Standbys {
  const given = new Map<string, Waiting>()
  /** What was asked for last: the next ones begin with these limits, since each change of limits takes the engine a tenth of a second. */
  let usual = UNLIMITED
  const pool = createStandbyPool<Waiting>({
    async start(asked) {
      const launch = { ...asked, ...usual }
      const line = await start(launch)
      return { since: Date.now(), launch, line }
    },
    release: ({ line }) => line.close(),
    remove,
    quiet,
    wordsOf: messageOf,
    warn,
  })
  return {
    ...pool,
    take(limits) {
      usual = limits
      const id = bestFor(limits, pool.running())
      const waiting = id === undefined ? undefined : pool.give(id)
      // Others are made for what is asked for now.
      if (id === undefined || waiting === undefined) pool.letGo(pool.running().map(([other]) => other))
      else given.set(id, waiting)
      return id
    },
    handOver: (launch) => handOver(launch, given.get(launch.workerId), warn),
    gave: (workerId) => given.has(workerId),
    count: () => pool.running().length,
    note(containers, askedAt) {
      const alive = new Set(containers.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[LABELS.worker]))
      for (const id of given.keys()) if (!alive.has(id)) given.delete(id)
      const gone = pool.running().filter(([id, { since }]) => !alive.has(id) && askedAt > since)
      pool.letGo(gone.map(([id]) => id))
      pool.fill()
    },
  }
}

/** No engine lifts a limit. The first one that needs no change, else the first one. */
function bestFor(limits: WorkerLimits, running: readonly (readonly [workerId: string, waiting: Waiting])[]): string | undefined {
  const fit = running.filter(([, { launch }]) => LIMITS.every((name) => mayBecome(launch[name], limits[name])))
  const [best] = fit.toSorted(([, one], [, other]) => changesOf(one, limits) - changesOf(other, limits))
  return best?.[0]
}

const LIMITS = ['cpus', 'memoryBytes'] as const

const mayBecome = (has: number | undefined, wants: number | undefined): boolean => has === undefined || wants !== undefined

const changesOf = ({ launch }: Waiting, limits: WorkerLimits): number => LIMITS.filter((name) => launch[name] !== limits[name]).length

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
