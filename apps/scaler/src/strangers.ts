// Workers on our hosts that no record names, and since when. What one leader has seen; the next one begins anew, so that nothing is removed on what
// another believed.
import type { HostView, Stranger } from '@runyard/core'

export interface Strangers {
  /** `named`: ids of all workers that have a record. */
  note(hosts: readonly HostView[], named: ReadonlySet<string>, now: number): ReadonlyMap<string, Stranger>
}

export function createStrangers(): Strangers {
  let strangers = new Map<string, Stranger>()
  let known: ReadonlySet<string> = new Set()
  return {
    note(hosts, named, now) {
      const listed = hosts.flatMap(({ workers }) => workers ?? []).map(({ workerId }) => workerId)
      const nameless = listed.filter((id) => !named.has(id))
      strangers = new Map(nameless.map((id) => [id, strangers.get(id) ?? { since: now, wasKnown: known.has(id) }]))
      known = new Set([...named, ...nameless.filter((id) => known.has(id))])
      return strangers
    },
  }
}
