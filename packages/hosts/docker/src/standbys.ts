// Standby workers (ADR 56): containers of the default image in which our agent and Python run and wait for an endpoint. A worker id is chosen when one is
// made; whoever takes it writes a record with that id, and the start of this worker then only hands over the environment. Until then the driver does not
// list it. One that is not handed over by this driver is listed like any worker: without a record the scaler removes it, so a killed scaler leaves none.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostStandby, WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { LABELS } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'

export interface Standbys extends AsyncDisposable {
  keep(wanted: HostStandby | undefined): void
  /** The id of a running one, given once. */
  take(): string | undefined
  /** No endpoint has taken it yet. */
  readonly holds: (workerId: string) => boolean
  /** It was given to a worker that may not have started yet. */
  readonly gave: (workerId: string) => boolean
  readonly count: () => number
  note(containers: readonly Pick<Docker.ContainerInfo, 'Labels' | 'State'>[], askedAt: number): void
}

export interface StandbysOptions {
  /** Starts a container that waits; resolves when it runs. */
  readonly start: (launch: WorkerLaunch) => Promise<void>
  readonly remove: (workerId: string) => Promise<void>
  /** Resolves when no start has been under way for a while. */
  readonly quiet: (signal: AbortSignal) => Promise<void>
  readonly warn: (message: string) => void
}

const ENDS_WITHIN_MS = 5000

export function createStandbys(options: StandbysOptions): Standbys {
  const state: State = { own: new Map(), given: new Set(), removals: new Set(), wanted: undefined }
  const { own, given } = state
  const { letGo, running } = createEnding(state, options)
  const filler = createFiller(state, { ...options, letGo, running })
  return {
    keep(next) {
      if (!isSame(state.wanted?.launch, next?.launch)) letGo(running())
      state.wanted = next
      letGo(running().slice(next?.count ?? 0))
      filler.soon()
    },
    take() {
      const [id] = running()
      if (id === undefined) return undefined
      own.delete(id)
      given.add(id)
      return id
    },
    holds: (workerId) => own.has(workerId),
    gave: (workerId) => given.has(workerId),
    count: () => running().length,
    note(containers, askedAt) {
      const alive = new Set(containers.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[LABELS.worker]))
      for (const id of given) if (!alive.has(id)) given.delete(id)
      letGo(running().filter((id) => !alive.has(id) && askedAt > (own.get(id) ?? 0)))
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

interface State {
  /** Worker id → since when it runs; undefined while it starts. */
  readonly own: Map<string, number | undefined>
  readonly given: Set<string>
  readonly removals: Set<Promise<void>>
  wanted: HostStandby | undefined
}

function createEnding({ own, removals }: State, { remove, warn }: StandbysOptions) {
  return {
    running: (): string[] => [...own].flatMap(([id, since]) => (since === undefined ? [] : [id])),
    letGo: (ids: readonly string[]): void => {
      for (const id of ids) {
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
      await start({ ...launch, workerId })
      state.own.set(workerId, Date.now())
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
      // The next listing tries again.
      if (!stopping.signal.aborted) warn(`no standby worker can be started: ${messageOf(error)}`)
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

/** Gives a standby worker its limits, and then its environment. */
export async function handOver(
  container: Docker.Container,
  { limits, env }: { readonly limits: object; readonly env: object },
): Promise<void> {
  const [stream] = await Promise.all([
    container.attach({ stream: true, stdin: true, hijack: true }),
    Object.keys(limits).length === 0 ? undefined : container.update(limits),
  ])
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.write(`${JSON.stringify({ env })}\n`, (error) => (error == null ? resolve() : reject(error)))
  })
  stream.end()
}
