// The dependencies of all actions, and the three records of a worker's transition: an event in the endpoint's history, a line in the
// worker's system log (in Runpod's vocabulary, management §3.4), and one wide log line.
import type { Logger } from '@runyard/kit'
import type { Config, EndpointEvent, HostDriver, Reason } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Builds } from './builds.ts'
import type { Gate } from './gate.ts'
import type { HostPool } from './host-pool.ts'
import type { HostWatch } from './host-watch.ts'
import type { Images } from './images.ts'
import type { LogFollower } from './log-follower.ts'
import type { Memory } from './memory.ts'
import type { Models } from './models.ts'
import type { Numbers } from './numbers.ts'

export interface ActDeps {
  readonly store: Store
  readonly hosts: HostPool
  readonly images: Images
  readonly builds: Builds
  readonly models: Models
  readonly logs: LogFollower
  readonly memory: Memory
  readonly numbers: Pick<Numbers, 'actionFailed' | 'workerStarted' | 'workerGone'>
  readonly log: Logger
  readonly config: Config
  /** Path of the CA bundle that workers get; undefined = none. */
  readonly caBundle: string | undefined
  /** The authority of the worker plane's certificate, as PEM text; undefined: this machine has none. */
  readonly authority: () => Promise<string | undefined>
  /** Bounds starts, stops and removals on each host. */
  readonly gate: Gate
}

export function hostOf(deps: Pick<ActDeps, 'hosts'>, hostId: string | undefined): HostWatch | undefined {
  return deps.hosts.list().find((host) => host.hostId() === hostId)
}

export function driverOf(deps: Pick<ActDeps, 'hosts'>, hostId: string | undefined): HostDriver | undefined {
  return hostOf(deps, hostId)?.driver
}

export interface Transition {
  readonly kind: EndpointEvent['kind']
  readonly endpointId: string
  readonly workerId: string
  readonly hostId: string
  readonly at: number
  readonly reason: Reason
  /** One sentence. */
  readonly message: string
  /** Runpod's words for the worker's system log. */
  readonly system?: string
  /** More for the wide line, durations above all. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** History is for readers: what cannot be written is logged and does not stop the work. */
export async function recordTransition({ store, log }: Pick<ActDeps, 'store' | 'log'>, transition: Transition): Promise<void> {
  const { kind, endpointId, workerId, hostId, at, reason, message, system, facts } = transition
  log.info({ transition: kind, endpointId, workerId, hostId, reason, ...facts }, message)
  const writes = [store.events.append({ at, endpointId, kind, workerId, reason, message })]
  if (system !== undefined) writes.push(store.workerLogs.append(workerId, 'system', [{ at, line: system }]))
  for (const result of await Promise.allSettled(writes)) {
    if (result.status === 'rejected') log.warn({ workerId, err: result.reason as unknown }, 'a transition was not recorded')
  }
}
