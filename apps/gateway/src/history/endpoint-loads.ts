// The topic `endpoints`: the load of all endpoints of an owner as one state. A signal makes its endpoint be read again, and every ten seconds all of them are,
// because the scaler's reports give no signal; so a busy endpoint does not make the others be read five times a second.
import type { Signal } from '@runyard/schema'
import type { EndpointLoadView } from '@runyard/schema/api'
import { healthOf } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad } from '../parts/endpoint-load.ts'
import { ownEndpoints, type OwnEndpoints } from './own-endpoints.ts'

const READ_ALL_MS = 10_000

export interface EndpointLoads {
  read(): Promise<readonly EndpointLoadView[]>
  /** Whether the state may have changed. */
  note(signal: Signal): boolean
}

export function createEndpointLoads({ store }: Pick<GatewayDeps, 'store'>, ownerId: string): EndpointLoads {
  let own: OwnEndpoints['asked'] = []
  let [changes, listedAt] = [0, -1]
  let known = new Map<string, EndpointLoadView>()
  let changed = new Set<string>()
  let readAllAt = -Infinity
  return {
    note(signal) {
      if (signal.kind === 'resync') readAllAt = -Infinity
      if (signal.kind === 'endpoint-changed') changes += 1
      if (!('endpointId' in signal)) return signal.kind === 'resync'
      if (!known.has(signal.endpointId)) return signal.kind === 'endpoint-changed'
      changed.add(signal.endpointId)
      return true
    },
    async read() {
      const isDue = performance.now() - readAllAt >= READ_ALL_MS
      const again = changed
      changed = new Set()
      if (isDue) readAllAt = performance.now()
      if (isDue || listedAt !== changes) {
        const now = changes
        own = (await ownEndpoints(store, ownerId)).asked
        listedAt = now
      }
      const views = await Promise.all(
        own.map(async ({ id, name }): Promise<EndpointLoadView> => {
          const before = known.get(id)
          if (before !== undefined && !isDue && !again.has(id)) return { ...before, name }
          return { id, name, ...healthOf(await readEndpointLoad(store, id)) }
        }),
      )
      known = new Map(views.map((view) => [view.id, view]))
      return views
    },
  }
}
