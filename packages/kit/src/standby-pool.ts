// The standby workers of one host (ADR 56), whatever runs there: as many as are wanted, started one after another, each given once. A worker id is chosen
// when one is made; the scaler that takes it writes a record with that id. What a killed driver leaves has no record, and the scaler removes it.
import { setTimeout as delay } from 'node:timers/promises'
import type { HostStandby, WorkerLaunch } from '@runyard/schema'
import { newWorkerId } from './worker-id.ts'

export interface StandbyPool<Waiting> extends AsyncDisposable {
  /** Called again and again: it also starts what failed to start before. */
  keep(wanted: HostStandby | undefined): void
  /** Starts what is lacking. */
  readonly fill: () => void
  /** Those that run, the oldest first. */
  readonly running: () => readonly (readonly [workerId: string, waiting: Waiting])[]
  /** No endpoint has taken it yet. */
  readonly holds: (workerId: string) => boolean
  /** From now on it is its taker's. Undefined: it does not run. */
  give(workerId: string): Waiting | undefined
  readonly letGo: (workerIds: readonly string[]) => void
  /** Why the last try to start one failed. */
  readonly problem: () => string | undefined
}

export interface StandbyPoolOptions<Waiting> {
  /** Starts one that waits; resolves when it runs. */
  readonly start: (launch: WorkerLaunch) => Promise<Waiting>
  /** Ends the connection to one that is not wanted any more, before it is removed. */
  readonly release: (waiting: Waiting) => void
  readonly remove: (workerId: string) => Promise<void>
  /** Resolves when the next one may start; rejects when the signal aborts. */
  readonly quiet: (signal: AbortSignal) => Promise<void>
  readonly wordsOf: (error: unknown) => string
  readonly warn: (message: string) => void
}

/** A host that is away holds up nothing. */
const ENDS_WITHIN_MS = 5000

export function createStandbyPool<Waiting>(options: StandbyPoolOptions<Waiting>): StandbyPool<Waiting> {
  const members = createMembers(options)
  const { own, running, letGoFrom } = members
  const state: Wish = { wanted: undefined, problem: undefined }
  const filler = createFiller(state, members, options)
  return {
    keep(next) {
      if (!isSame(state.wanted?.launch, next?.launch)) letGoFrom(0)
      state.wanted = next
      if (next === undefined) state.problem = undefined
      letGoFrom(next?.count ?? 0)
      filler.fill()
    },
    fill: filler.fill,
    running,
    holds: (workerId) => own.has(workerId),
    give(workerId) {
      const waiting = own.get(workerId)
      if (waiting !== undefined) own.delete(workerId)
      return waiting
    },
    letGo: members.letGo,
    problem: () => state.problem,
    async [Symbol.asyncDispose]() {
      state.wanted = undefined
      await within(filler.stop())
      letGoFrom(0)
      await within(members.removed())
    },
  }
}

interface Wish {
  wanted: HostStandby | undefined
  problem: string | undefined
}

/** Those of one host, and how they go. */
function createMembers<Waiting>({ release, remove, wordsOf, warn }: StandbyPoolOptions<Waiting>) {
  /** By worker id; undefined while it starts. */
  const own = new Map<string, Waiting | undefined>()
  const removals = new Set<Promise<void>>()
  const running = () => [...own].flatMap(([id, waiting]) => (waiting === undefined ? [] : [[id, waiting] as const]))
  const letGo = (ids: readonly string[]): void => {
    for (const id of ids) {
      const waiting = own.get(id)
      if (waiting !== undefined) release(waiting)
      own.delete(id)
      const removal = remove(id)
        .catch((error: unknown) => warn(`a standby worker cannot be removed: ${wordsOf(error)}`))
        .finally(() => removals.delete(removal))
      removals.add(removal)
    }
  }
  const letGoFrom = (at: number): void => {
    const late = running().slice(at)
    letGo(late.map(([id]) => id))
  }
  return { own, running, letGo, letGoFrom, removed: () => Promise.all(removals) }
}

type Members<Waiting> = ReturnType<typeof createMembers<Waiting>>

/** Starts what is lacking, one after another. */
function createFiller<Waiting>(
  state: Wish,
  members: Members<Waiting>,
  { start, release, quiet, wordsOf, warn }: StandbyPoolOptions<Waiting>,
) {
  const { own, letGo, letGoFrom } = members
  const stopping = new AbortController()
  const lacks = (): boolean => !stopping.signal.aborted && own.size < (state.wanted?.count ?? 0)
  let filling: Promise<void> | undefined

  async function make(launch: WorkerLaunch): Promise<void> {
    const workerId = newWorkerId()
    own.set(workerId, undefined)
    try {
      const waiting = await start({ ...launch, workerId })
      state.problem = undefined
      // It may have ended, and another one may be wanted by now.
      if (!own.has(workerId)) return release(waiting)
      own.set(workerId, waiting)
      if (!isSame(state.wanted?.launch, launch)) letGo([workerId])
    } catch (error) {
      letGo([workerId])
      throw error
    }
  }

  async function makeAll(): Promise<void> {
    try {
      while (lacks()) {
        await quiet(stopping.signal)
        if (state.wanted !== undefined && lacks()) await make(state.wanted.launch)
      }
    } catch (error) {
      // The next call tries again, and what is wrong is reported once.
      const problem = wordsOf(error)
      if (!stopping.signal.aborted && state.problem !== problem) warn(`no standby worker can be started: ${problem}`)
      state.problem = problem
    }
    letGoFrom(state.wanted?.count ?? 0)
  }

  return {
    fill: (): void => {
      if (lacks()) filling ??= makeAll().finally(() => (filling = undefined))
    },
    stop: async (): Promise<void> => {
      stopping.abort()
      await filling
    },
  }
}

async function within(work: Promise<unknown>): Promise<void> {
  await Promise.race([work, delay(ENDS_WITHIN_MS, undefined, { ref: false })])
}

const isSame = (one: WorkerLaunch | undefined, other: WorkerLaunch | undefined): boolean => JSON.stringify(one) === JSON.stringify(other)
