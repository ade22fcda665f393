// What the leader sees of its hosts, written for others to read: when it changes, and now and then to show that it still holds. Hosts that were not seen
// for a month are forgotten, unless the operator cordoned them.
import { allHoldings, claimsByHost, lowDisk, sharersByHost, type HostView, type Observed } from '@runyard/core'
import type { HostSight } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { HostPool } from './host-pool.ts'

export type HostSights = ReturnType<typeof createHostSights>

const REPEAT_EVERY_MS = 60_000
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000

interface HostSightsDeps {
  readonly store: Pick<Store, 'hosts'>
  readonly hosts: Pick<HostPool, 'twinsOf'>
}

export function createHostSights({ store, hosts }: HostSightsDeps) {
  const written = new Map<string, { readonly at: number; readonly text: string }>()
  let isTidied = false

  async function writeOne(
    hostId: string,
    sight: Omit<HostSight, 'at' | 'inventoryAt'>,
    times: Pick<HostSight, 'at' | 'inventoryAt'>,
  ): Promise<void> {
    const before = written.get(hostId)
    const text = JSON.stringify(sight)
    const isSame = before?.text === text
    if (isSame && times.at - before.at < REPEAT_EVERY_MS) return
    await store.hosts.putSight(hostId, { ...sight, ...times }, { quiet: isSame })
    written.set(hostId, { at: times.at, text })
  }

  /** Of a host that was taken out of the configuration; a cordon stays for its return. */
  async function forgetGone(there: ReadonlySet<string>): Promise<void> {
    const gone = [...written.keys()].filter((hostId) => !there.has(hostId))
    for (const hostId of gone) {
      await store.hosts.putSight(hostId, undefined)
      written.delete(hostId)
    }
  }

  async function tidy(now: number): Promise<void> {
    const old = (await store.hosts.list()).filter(({ sight, cordon }) => cordon === undefined && now - (sight?.at ?? 0) > FORGET_AFTER_MS)
    await Promise.all(old.map(({ hostId }) => store.hosts.forget(hostId)))
  }

  return {
    async write(observed: Observed, now: number): Promise<void> {
      const holdings = allHoldings(observed)
      const [claims, sharers] = [claimsByHost(holdings), sharersByHost(holdings)]
      const known = observed.hosts.filter((host) => host.isIdentified)
      await forgetGone(new Set(known.map(({ hostId }) => hostId)))
      const write = async (host: HostView): Promise<void> => {
        const { hostId, inventoryAt } = host
        const held = { claims: claims.get(hostId) ?? {}, sharers: sharers.get(hostId), twins: hosts.twinsOf(hostId) }
        await writeOne(hostId, toSight(host, observed.policy.keepFreeBytes, held), { at: now, inventoryAt })
      }
      await Promise.all(known.map(write))
      if (isTidied) return
      isTidied = true
      await tidy(now)
    },
  }
}

function toSight(
  { label, kind, inventory, workers, unready, disk, standby = 0, standbyProblem }: HostView,
  keepFreeBytes: number,
  { claims, sharers, twins }: Pick<HostSight, 'claims' | 'sharers'> & { readonly twins: readonly string[] },
): Omit<HostSight, 'at' | 'inventoryAt'> {
  const low = lowDisk(disk, keepFreeBytes)
  const common = {
    label,
    kind,
    claims,
    ...(sharers === undefined ? {} : { sharers }),
    ...(twins.length === 0 ? {} : { twins: [...twins] }),
    ...(inventory === undefined ? {} : { inventory }),
    ...(low === undefined ? {} : { lowDisk: low }),
    ...(standby === 0 ? {} : { standby }),
    ...(standbyProblem === undefined ? {} : { standbyProblem }),
  }
  if (workers === undefined) return { ...common, health: 'unreachable', problem: 'the host does not answer' }
  return unready === undefined ? { ...common, health: 'ready' } : { ...common, health: 'unready', problem: `the host ${unready}` }
}
