// Standby workers of a process host (ADR 56): processes in which our agent and Python run and wait for an endpoint. A worker id is chosen when one is made;
// the scaler that takes it writes a record with that id, and the start of this worker then only hands over the environment, its cards included. Until then the
// driver does not list it. One whose driver ended ends with it, because its input ends; what is left has no record, and the scaler removes it.
import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { sentenceOf } from '@runyard/kit'
import type { HostStandby, WorkerLaunch } from '@runyard/schema'

export interface ProcessStandbys extends AsyncDisposable {
  /** Called again and again: it also starts what failed to start before. */
  readonly keep: (wanted: HostStandby | undefined) => void
  /** The id of one that runs, given once. */
  readonly take: () => string | undefined
  /** No endpoint has taken it yet. */
  readonly holds: (workerId: string) => boolean
  /** The input of a worker that was given, once. */
  readonly takeInput: (workerId: string) => Writable | undefined
  readonly count: () => number
  /** Why the last try to start one failed. */
  readonly problem: () => string | undefined
}

export interface ParkedProcess {
  /** The worker reads its environment from it. */
  readonly input: Writable
  readonly ended: Promise<unknown>
}

export interface StandbysOptions {
  readonly park: (launch: WorkerLaunch) => Promise<ParkedProcess>
  readonly remove: (workerId: string) => Promise<void>
  readonly warn: (message: string) => void
  /** After a start its first job needs the processors; default: two seconds. */
  readonly quietMs?: number | undefined
}

interface State {
  readonly own: Map<string, ParkedProcess | undefined>
  readonly given: Map<string, ParkedProcess>
  readonly removals: Set<Promise<void>>
  wanted: HostStandby | undefined
  takenAt: number
  problem: string | undefined
}

export function createProcessStandbys(options: StandbysOptions): ProcessStandbys {
  const state: State = { own: new Map(), given: new Map(), removals: new Set(), wanted: undefined, takenAt: 0, problem: undefined }
  const { own, given } = state
  const letGo = createEnding(state, options)
  const filler = createFiller(state, options, letGo)
  const running = (): string[] => [...own].flatMap(([id, parked]) => (parked === undefined ? [] : [id]))
  return {
    keep(wanted) {
      if (JSON.stringify(state.wanted?.launch) !== JSON.stringify(wanted?.launch)) letGo(running())
      state.wanted = wanted
      if (wanted === undefined) state.problem = undefined
      letGo(running().slice(wanted?.count ?? 0))
      filler.soon()
    },
    take() {
      const [id = ''] = running()
      const parked = own.get(id)
      if (parked === undefined) return undefined
      own.delete(id)
      given.set(id, parked)
      state.takenAt = Date.now()
      filler.soon()
      return id
    },
    holds: (workerId) => own.has(workerId),
    takeInput(workerId) {
      const input = given.get(workerId)?.input
      given.delete(workerId)
      return input
    },
    count: () => running().length,
    problem: () => state.problem,
    async [Symbol.asyncDispose]() {
      state.wanted = undefined
      await filler.stop()
      letGo(running())
      await Promise.all(state.removals)
    },
  }
}

function createEnding({ own, removals }: State, { remove, warn }: StandbysOptions) {
  return (ids: readonly string[]): void => {
    for (const id of ids) {
      own.get(id)?.input.end()
      own.delete(id)
      const removal = remove(id)
        .catch((error: unknown) => warn(`a standby worker cannot be removed: ${sentenceOf(error)}`))
        .finally(() => removals.delete(removal))
      removals.add(removal)
    }
  }
}

/** Starts what is lacking, one after another. */
function createFiller(state: State, { park, warn, quietMs = 2000 }: StandbysOptions, letGo: (ids: readonly string[]) => void) {
  const stopping = new AbortController()
  const { own } = state
  const lacks = (): boolean => !stopping.signal.aborted && own.size < (state.wanted?.count ?? 0)
  let filling: Promise<void> | undefined

  async function make(launch: WorkerLaunch): Promise<void> {
    const workerId = newWorkerId()
    own.set(workerId, undefined)
    try {
      const parked = await park({ ...launch, workerId })
      own.set(workerId, parked)
      void parked.ended.then(() => {
        if (own.has(workerId)) letGo([workerId])
        return undefined
      })
    } catch (error) {
      letGo([workerId])
      throw error
    }
  }

  async function fill(): Promise<void> {
    try {
      while (lacks()) {
        await delay(state.takenAt + quietMs - Date.now(), undefined, { ref: false, signal: stopping.signal })
        if (state.wanted !== undefined && lacks()) await make(state.wanted.launch)
      }
      state.problem = undefined
    } catch (error) {
      const problem = sentenceOf(error)
      if (!stopping.signal.aborted && state.problem !== problem) warn(`no standby worker can be started: ${problem}`)
      state.problem = problem
    }
  }
  return {
    soon: (): void => {
      if (lacks()) filling ??= fill().finally(() => (filling = undefined))
    },
    stop: async (): Promise<void> => {
      stopping.abort()
      await filling
    },
  }
}

/** As the scaler makes them: a DNS label of lower-case letters and digits. */
function newWorkerId(): string {
  return BigInt(`0x${randomBytes(9).toString('hex')}`)
    .toString(36)
    .padStart(14, '0')
}
