// Which images a host pulls before a job arrives (ADR 59): those of every endpoint that may have workers, on each host where a worker could be placed if
// nothing ran there. Failure direction: an image that is not pulled early is pulled by the first start.
import type { ImagePull } from '@runyard/schema'
import type { EndpointStatus, HostView } from './observed.ts'
import { askedOf, placedSpecOf, type Asker } from './plan-growth.ts'
import { place, type PlacedSpec } from './placement.ts'

export type { Asker }

/** The hosts that need the endpoint's image. */
export function hostsToPrePull({ endpoint, view }: Asker, hosts: readonly HostView[]): readonly string[] {
  if (endpoint.settings.workersMax === 0) return []
  const spec = placedSpecOf({ endpoint, view }, { stores: new Map() })
  return hosts.filter((host) => couldHold(spec, host)).map(({ hostId }) => hostId)
}

function couldHold(spec: PlacedSpec, host: HostView): boolean {
  const { inventory } = host
  if (inventory === undefined || !isOpen(host) || !inventory.capabilities.runsImages) return false
  return place(spec, [inventory], []).kind === 'placed'
}

/** Equal for endpoints that `hostsToPrePull` treats alike, whatever the hosts. */
export function askerFacts(asker: Asker): string {
  return `${asker.endpoint.settings.workersMax === 0} ${askedOf(asker)}`
}

/** A host that rests may start workers again soon, so it counts. */
function isOpen({ workers, unready, cordon }: HostView): boolean {
  return workers !== undefined && unready === undefined && cordon === undefined
}

/** Equal for hosts that `hostsToPrePull` treats alike, whatever the endpoint. */
export function prePullFacts(hosts: readonly HostView[]): string {
  const open = hosts
    .filter(isOpen)
    .map(({ hostId, inventory }) => [
      hostId,
      inventory?.cpuCount,
      inventory?.memoryBytes,
      inventory?.cudaVersion,
      inventory?.maxWorkers,
      inventory?.pythons,
      inventory?.runtimes,
      inventory?.dataCenterId,
      inventory?.volumes,
      inventory?.gpus.map(({ name, healthy, reserved }) => [name, healthy, reserved]),
    ])
  return JSON.stringify(open)
}

export interface PendingPull {
  readonly hostId: string
  readonly isRunning: boolean
  /** When it may begin, epoch ms. */
  readonly dueAt: number
}

/** Which pulls begin now: the longest due first, at most `atOnce` at a time on each host. */
export function pullsToBegin<T extends PendingPull>(
  pulls: readonly T[],
  { atOnce, now }: { readonly atOnce: number; readonly now: number },
): readonly T[] {
  return [...Map.groupBy(pulls, ({ hostId }) => hostId).values()].flatMap((onHost) => {
    const free = Math.max(0, atOnce - onHost.filter(({ isRunning }) => isRunning).length)
    const due = onHost.filter(({ isRunning, dueAt }) => !isRunning && dueAt <= now)
    return due.toSorted((a, b) => a.dueAt - b.dueAt).slice(0, free)
  })
}

/** `looking`: whether the host has the image is not known yet. */
export type PullView = Omit<ImagePull, 'state'> & { readonly state: ImagePull['state'] | 'looking' }

/** The endpoint's status with its pulls, as far as they are known; if the image is on no host and nothing else is wrong, the failed pull is what is wrong. */
export function withPulls(status: EndpointStatus, pulls: readonly PullView[]): EndpointStatus {
  const open = pulls.flatMap(({ state, ...pull }) => (state === 'present' || state === 'looking' ? [] : [{ ...pull, state }]))
  if (open.length === 0) return status
  const failed = open.find(({ state }) => state === 'failed')
  const isNowhere = failed !== undefined && open.length === pulls.length && status.reason === undefined
  if (!isNowhere) return { ...status, pulls: open }
  const { reason = 'image_missing', message, nextTryAt } = failed
  return { ...status, pulls: open, reason, message, nextTryAt }
}

/** The status with the places for further workers where a worker starts without a pull. `free`: how many workers the endpoint may still have. */
export function withMayStart(status: EndpointStatus, pulls: readonly PullView[], free: number): EndpointStatus {
  const isNowhere = pulls.length > 0 && pulls.every(({ state }) => state !== 'present')
  return { ...status, mayStart: isNowhere ? 0 : Math.max(0, free - status.throttled - status.unhealthy) }
}
