// Networks prepared ahead of demand (ADR 56). A network sandbox is a tiny container on the workers' network that holds only a network namespace. One
// worker joins it, and both are removed together. Attaching a container to the network takes most of a cold start; joining a sandbox takes nothing.
// Failure direction: without a sandbox a worker is attached to the network itself, and only starts slower.
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import { LABELS, sandboxOf } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'
import { WORKER_IMAGE } from './images.ts'
import { removeContainer } from './remove-container.ts'
import { createSandboxPool, type ListedContainer, type SandboxPool } from './sandbox-pool.ts'
import { WORKER_NETWORK } from './worker-network.ts'

export type NetworkSandboxes = ReturnType<typeof createNetworkSandboxes>

export interface SandboxesOptions {
  readonly instanceId: string
  /** Makes the workers' network where it is missing. */
  readonly network: () => Promise<unknown>
  /** For the hosts of the workers that join; default: none. */
  readonly extraHosts?: (() => Promise<readonly string[]>) | undefined
  readonly log?: { warn(message: string): void } | undefined
  /** Default: two seconds. */
  readonly quietMs?: number | undefined
}

/** After a start, its first job needs the processors; making a sandbox takes half a second. */
const QUIET_MS = 2000
const ENDS_WITHIN_MS = 5000

export function createNetworkSandboxes(docker: Docker, { quietMs = QUIET_MS, ...options }: SandboxesOptions) {
  const pool = createSandboxPool()
  const pace = createPace(quietMs)
  const warn = createWarner(options.log)
  const { remove, removed } = createRemovals(docker, warn)
  const filler = createFiller({ pool, pace, warn, remove, make: () => create(docker, pool, options) })
  return {
    /** Resolves when no start has been under way for a while. */
    quiet: pace.quiet,
    /** How many to have ready; undefined: another scaler leads. */
    keep(count: number | undefined) {
      pool.want(count)
      remove(pool.takeSurplus())
      filler.soon()
    },
    /** Starts a worker; if `mayJoin`, with a sandbox for it alone where one is ready. The next one is made when no start has been under way for a while. */
    async during<T>(mayJoin: boolean, start: (sandbox: string | undefined) => Promise<T>): Promise<T> {
      const sandbox = mayJoin ? pool.give() : undefined
      try {
        return await pace.during(() => start(sandbox))
      } finally {
        if (sandbox !== undefined) pool.settle(sandbox)
        filler.soon()
      }
    },
    /** What the engine lists of this installation, asked at `askedAt`: removes strays, and ends workers that have lost their network. */
    note(containers: readonly ListedContainer[], askedAt: number) {
      const { stray, stranded } = pool.judge(containers, askedAt)
      remove(stray)
      for (const { Id, Labels } of stranded) {
        warn(`worker ${Labels[LABELS.worker]} is ended: its network sandbox does not run any more, so it has no network`)
        // The next listing shows whether it has ended.
        docker
          .getContainer(Id)
          .kill()
          .catch(() => undefined)
      }
      filler.soon()
    },
    async [Symbol.asyncDispose]() {
      pool.want(undefined)
      // An engine that is away holds up nothing; what is left there is a stray for the next scaler.
      await Promise.race([filler.stop(), delay(ENDS_WITHIN_MS, undefined, { ref: false })])
      remove(pool.takeSurplus())
      await Promise.race([removed(), delay(ENDS_WITHIN_MS, undefined, { ref: false })])
    },
  }
}

interface Filling {
  readonly pool: SandboxPool
  readonly pace: Pace
  readonly warn: (message: string) => void
  readonly remove: (ids: readonly string[]) => void
  readonly make: () => Promise<string>
}

/** Makes what the pool lacks, one after another. */
function createFiller({ pool, pace, warn, remove, make }: Filling) {
  const stopping = new AbortController()
  let filling: Promise<void> | undefined

  async function fill(): Promise<void> {
    try {
      while (pool.lacks()) {
        await pace.quiet(stopping.signal)
        if (pool.lacks()) await pool.making(make)
      }
    } catch (error) {
      // The next listing tries again.
      if (!stopping.signal.aborted) warn(`no network can be prepared for the next worker: ${messageOf(error)}`)
    }
    remove(pool.takeSurplus())
  }
  return {
    soon: (): void => {
      if (stopping.signal.aborted || !pool.lacks()) return
      filling ??= fill().finally(() => (filling = undefined))
    },
    stop: async (): Promise<void> => {
      stopping.abort()
      await filling
    },
  }
}

/** A process that does nothing, in a container that may do nothing. Its memory is 0.6 MiB, and that of its shim on the engine some 10 MiB. */
async function create(docker: Docker, { owner }: SandboxPool, { instanceId, network, extraHosts }: SandboxesOptions): Promise<string> {
  await network()
  const hosts = (await extraHosts?.()) ?? []
  const container = await docker.createContainer({
    Image: WORKER_IMAGE,
    Entrypoint: ['sleep', 'infinity'],
    Cmd: [],
    // The worker's own host name; with a network of another container it cannot have one of its own.
    Hostname: 'worker',
    User: '65534:65534',
    Labels: { [LABELS.instance]: instanceId, [LABELS.sandbox]: owner },
    HostConfig: {
      NetworkMode: WORKER_NETWORK,
      ExtraHosts: [...hosts],
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 32 * 2 ** 20,
      PidsLimit: 32,
      LogConfig: { Type: 'none', Config: {} },
    },
  })
  try {
    await container.start()
    return container.id
  } catch (error) {
    await removeContainer(container).catch(() => undefined)
    throw error
  }
}

/** Removes a worker's container and then the sandbox that it has joined. */
export async function removeWithSandbox(docker: Docker, container: Docker.Container): Promise<void> {
  const sandbox = await container.inspect().then(
    ({ HostConfig }) => sandboxOf(HostConfig),
    // Gone, or the removal says what is wrong. A sandbox that is left is found by the next listing.
    () => undefined,
  )
  await removeContainer(container)
  if (sandbox !== undefined) await removeContainer(docker.getContainer(sandbox))
}

interface Pace {
  during<T>(start: () => Promise<T>): Promise<T>
  /** Resolves when no start has been under way for a while. */
  readonly quiet: (signal: AbortSignal) => Promise<void>
}

function createPace(quietMs: number): Pace {
  let underWay = 0
  let endedAt = Number.NEGATIVE_INFINITY
  return {
    async during(start) {
      underWay += 1
      try {
        return await start()
      } finally {
        underWay -= 1
        endedAt = Date.now()
      }
    },
    quiet: async (signal) => {
      for (;;) {
        const leftMs = underWay > 0 ? quietMs : endedAt + quietMs - Date.now()
        if (leftMs <= 0) return
        await delay(leftMs, undefined, { signal, ref: false })
      }
    },
  }
}

function createRemovals(docker: Docker, warn: (message: string) => void) {
  const removals = new Set<Promise<void>>()
  return {
    remove: (ids: readonly string[]): void => {
      for (const id of ids) {
        const removal = removeContainer(docker.getContainer(id))
          .catch((error: unknown) => warn(`a network sandbox cannot be removed: ${messageOf(error)}`))
          .finally(() => removals.delete(removal))
        removals.add(removal)
      }
    },
    removed: () => Promise.all(removals),
  }
}

/** Says the same thing once until something else is wrong. */
function createWarner(log: SandboxesOptions['log']): (message: string) => void {
  let last = ''
  return (message) => {
    if (message !== last) log?.warn(message)
    last = message
  }
}
