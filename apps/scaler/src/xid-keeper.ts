// Whose error an Xid line of the kernel is: the workers that had the card then, and of several the one whose process the line names. The worker's history and
// log get the line, and so does the record of its end if that follows soon. What a line means for the card is decided elsewhere (ADR 57).
import type { EndpointView, HostView } from '@runyard/core'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { Gpu, WorkerRecord } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { HostPool } from './host-pool.ts'
import type { Memory } from './memory.ts'

export type XidKeeper = ReturnType<typeof createXidKeeper>

export interface XidKeeperDeps {
  readonly store: Pick<Store, 'events' | 'workerLogs'>
  readonly hosts: Pick<HostPool, 'list'>
  readonly memory: Pick<Memory, 'noteXid'>
  readonly log: Logger
  /** Called when it is known whose a line is. */
  readonly wake: () => void
}

interface Line {
  readonly xid: NonNullable<Gpu['xid']>
  readonly hostId: string
  readonly name: string
  /** Of the whole card. */
  readonly uuid: string
}

export function createXidKeeper(deps: XidKeeperDeps) {
  /** By card. */
  const known = new Map<string, { readonly at: number; workerIds?: readonly string[] }>()

  async function attribute(line: Line, holders: readonly WorkerRecord[]): Promise<void> {
    const found = await narrow(deps, line, holders)
    known.set(line.uuid, { at: line.xid.at, workerIds: found.map(({ id }) => id) })
    await Promise.all(found.map((worker) => report(deps, line, { worker, of: found.length })))
    deps.wake()
  }

  return {
    /** The hosts, with the workers to which the lines of their cards belong. */
    note(hosts: readonly HostView[], endpoints: readonly EndpointView[]): readonly HostView[] {
      for (const line of hosts.flatMap(linesOf)) {
        if (known.get(line.uuid)?.at === line.xid.at) continue
        known.set(line.uuid, { at: line.xid.at })
        const cards = new Set(slicesOf(line, hosts))
        const holders = endpoints
          .flatMap(({ workers }) => workers)
          .filter(({ createdAt, gpus }) => createdAt <= line.xid.at && gpus.some(({ uuid }) => cards.has(uuid)))
        attribute(line, holders).catch((error: unknown) => deps.log.warn({ problem: sentenceOf(error) }, 'an Xid line is not recorded'))
      }
      return hosts.map((host) => withWorkers(host, known))
    },
  }
}

const cardOf = ({ parent, uuid }: Gpu): string => parent ?? uuid

function linesOf({ hostId, inventory }: HostView): readonly Line[] {
  return (inventory?.gpus ?? []).flatMap((gpu) =>
    gpu.xid === undefined ? [] : [{ xid: gpu.xid, hostId, name: gpu.name, uuid: cardOf(gpu) }],
  )
}

function slicesOf({ uuid }: Line, hosts: readonly HostView[]): readonly string[] {
  return hosts.flatMap(({ inventory }) => (inventory?.gpus ?? []).filter((gpu) => cardOf(gpu) === uuid).map((gpu) => gpu.uuid))
}

/** A process that has ended belongs to any of them. */
async function narrow({ hosts }: XidKeeperDeps, { xid, hostId }: Line, holders: readonly WorkerRecord[]): Promise<readonly WorkerRecord[]> {
  const { pid } = xid
  const driver = hosts.list().find((host) => host.hostId() === hostId)?.driver
  if (holders.length < 2 || pid === undefined || driver?.processesOf === undefined) return holders
  const pids = await Promise.all(holders.map(async ({ id }) => driver.processesOf?.([id]).catch(() => undefined)))
  const own = holders.filter((_, at) => pids[at]?.includes(pid) === true)
  return own.length === 0 ? holders : own
}

interface Blamed {
  readonly worker: WorkerRecord
  /** So many workers had the card. */
  readonly of: number
}

async function report({ store, memory, log }: XidKeeperDeps, { xid, name, uuid, hostId }: Line, { worker, of }: Blamed): Promise<void> {
  const { id: workerId, endpointId } = worker
  const others = of === 1 ? '' : `; ${of} workers had the card, and the process is not known any more`
  const message = `${name} (${uuid}): ${xid.message}${others}`
  memory.noteXid(workerId, { at: xid.at, message })
  log.warn({ endpointId, workerId, hostId, gpu: uuid, xid: xid.xid }, message)
  await Promise.all([
    store.events.append({ at: xid.at, endpointId, kind: 'worker_card_error', workerId, message }),
    store.workerLogs.append(workerId, 'system', [{ at: xid.at, line: message }]),
  ])
}

function withWorkers(host: HostView, known: ReadonlyMap<string, { readonly workerIds?: readonly string[] }>): HostView {
  if (host.inventory?.gpus.some(({ xid }) => xid !== undefined) !== true) return host
  const gpus = host.inventory.gpus.map((gpu): Gpu => {
    const workerIds = known.get(cardOf(gpu))?.workerIds ?? []
    return gpu.xid === undefined || workerIds.length === 0 ? gpu : { ...gpu, xid: { ...gpu.xid, workerIds: [...workerIds] } }
  })
  return { ...host, inventory: { ...host.inventory, gpus } }
}
