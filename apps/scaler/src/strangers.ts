// Workers on our hosts without a record, and since when. Each leader starts with an empty list, so that it removes only what it has seen itself.
import type { HostView, Stranger } from '@runyard/core'

export type Strangers = ReturnType<typeof createStrangers>

export function createStrangers() {
  let strangers = new Map<string, Stranger>()
  let known: ReadonlySet<string> = new Set()
  return {
    /** `named`: ids of all workers that have a record. */
    note(hosts: readonly HostView[], named: ReadonlySet<string>, now: number): ReadonlyMap<string, Stranger> {
      const listed = hosts.flatMap(({ workers }) => workers ?? []).map(({ workerId }) => workerId)
      const nameless = listed.filter((id) => !named.has(id))
      strangers = new Map(nameless.map((id) => [id, strangers.get(id) ?? { since: now, wasKnown: known.has(id) }]))
      known = new Set([...named, ...nameless.filter((id) => known.has(id))])
      return strangers
    },
  }
}
