// Decides which hosts may get workers now. An open host is reachable, prepared, not cordoned and not resting. A host that fails starts through its
// own fault rests, with the same pauses as failed endpoints; it may also rest only its GPUs. The endpoint is not delayed: its worker starts on
// another host. Starts that fail together, or while the host rests, are one round. A successful start ends the rest.
import type { Cordon, HostInventory, HostRest } from '@runyard/schema'
import { pauseAfterMs } from './backoff.ts'
import { lowDisk } from './image-disk.ts'
import type { HostView } from './observed.ts'
import type { OpenHost, Refused } from './placement.ts'
import type { PlanBuilder } from './plan-builder.ts'

export function openHosts(builder: PlanBuilder): readonly OpenHost[] {
  return builder.observed.hosts.flatMap((host) => {
    const { inventory, workers } = host
    if (inventory === undefined || workers === undefined || whyClosed(host, builder) !== undefined) return []
    const { images, models, disk } = host
    const { keepFreeBytes } = builder.observed.policy
    const roomBytes = disk === undefined ? undefined : disk.freeBytes - keepFreeBytes
    return [{ ...withoutRestingGpus(inventory, host, builder), images, models, roomBytes, lowDisk: lowDisk(disk, keepFreeBytes) }]
  })
}

/** As the end of a sentence about the host. */
export function describeCordon({ drain, reason }: Cordon): string {
  return `${drain === true ? 'being drained' : 'cordoned'} (${reason})`
}

/** Why the host is closed, as the end of a sentence; undefined: it is open. */
function whyClosed({ cordon, unready, rest }: HostView, builder: PlanBuilder): string | undefined {
  if (cordon !== undefined) return `is ${describeCordon(cordon)}`
  if (unready !== undefined) return unready
  if (rest?.what !== 'host' || builder.isDue(restsUntil(rest))) return undefined
  return `rests until ${new Date(restsUntil(rest)).toISOString()}, because it failed to start a worker: ${rest.message}`
}

/** One failed GPU prevents every start of a GPU worker on its host, whichever GPU the worker gets, because the toolkit checks all of them. */
function withoutRestingGpus(inventory: HostInventory, { rest }: HostView, builder: PlanBuilder): HostInventory {
  if (rest?.what !== 'gpus' || builder.isDue(restsUntil(rest))) return inventory
  const fault = `the host rests until ${new Date(restsUntil(rest)).toISOString()}, because it failed to start a GPU worker: ${rest.message}`
  return { ...inventory, gpus: inventory.gpus.map((gpu) => (gpu.simulated ? gpu : { ...gpu, healthy: false, fault })) }
}

/** Adds to a refusal which hosts were not considered, and why. */
export function withClosedHosts(refused: Refused, builder: PlanBuilder): Refused {
  const closed = builder.observed.hosts.flatMap((host) => {
    const why = whyClosed(host, builder)
    return why === undefined ? [] : [`host ${host.label} ${why}`]
  })
  if (closed.length === 0) return refused
  const words = closed.join('; ')
  return refused.reason === 'no_host'
    ? { ...refused, reason: 'hosts_closed', message: words }
    : { ...refused, message: `${refused.message}; ${words}` }
}

export interface HostFault {
  readonly what: HostRest['what']
  readonly at: number
  /** One sentence. */
  readonly message: string
}

export function restAfter(previous: HostRest | undefined, { what, at, message }: HostFault): HostRest {
  const isSameRound = previous !== undefined && at < restsUntil(previous)
  const worst = previous?.what === 'host' && isSameRound ? 'host' : what
  if (isSameRound) return { ...previous, what: worst, message }
  return { what, count: (previous?.count ?? 0) + 1, lastAt: at, message }
}

/** Epoch ms. */
export function restsUntil({ count, lastAt }: HostRest): number {
  return lastAt + pauseAfterMs(count)
}

/** True if the successful start of this worker shows that the host works again. */
export function endsRest({ what }: HostRest, worker: { readonly gpus: readonly { readonly simulated: boolean }[] }): boolean {
  return what === 'host' || worker.gpus.some(({ simulated }) => !simulated)
}
