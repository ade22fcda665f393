// The topic `endpoints`: the load of all endpoints of an owner as one state. A signal makes its endpoint be read again. One with jobs or workers is read
// again every ten seconds as well, because a job that begins gives no signal; one at rest now and then, in case that a signal was lost.
import { createHash } from 'node:crypto'
import type { Endpoint, Signal } from '@runyard/schema'
import type { EndpointLoadView } from '@runyard/schema/api'
import { healthOf } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad } from '../parts/endpoint-load.ts'
import { followOwnEndpoints } from './own-endpoints.ts'

const READ_BUSY_MS = 10_000
const READ_IDLE_MS = 30 * 60_000

export interface EndpointLoads {
  read(): Promise<readonly EndpointLoadView[]>
  /** Whether the state may have changed. */
  note(signal: Signal): boolean
}

interface Known {
  readonly view: EndpointLoadView
  readonly readAt: number
}

/** Endpoints stay the same objects until one of them is changed. */
const revisions = new WeakMap<Endpoint, string>()

function revisionOf(endpoint: Endpoint): string {
  const known = revisions.get(endpoint) ?? createHash('sha256').update(JSON.stringify(endpoint)).digest('base64url').slice(0, 12)
  revisions.set(endpoint, known)
  return known
}

export function createEndpointLoads({ store }: Pick<GatewayDeps, 'store'>, ownerId: string): EndpointLoads {
  const own = followOwnEndpoints(store, ownerId)
  let known = new Map<string, Known>()
  let changed = new Set<string>()
  return {
    note(signal) {
      own.note(signal)
      if (signal.kind === 'resync') known = new Map()
      if (!('endpointId' in signal)) return signal.kind === 'resync'
      if (!known.has(signal.endpointId)) return signal.kind === 'endpoint-changed'
      changed.add(signal.endpointId)
      return true
    },
    async read() {
      const again = changed
      changed = new Set()
      const { asked } = await own.read()
      const now = performance.now()
      const isDue = ({ view, readAt }: Known): boolean => again.has(view.id) || now - readAt >= (isBusy(view) ? READ_BUSY_MS : READ_IDLE_MS)
      const read = await Promise.all(
        asked.map(async (endpoint): Promise<Known> => {
          const { id, name } = endpoint
          const before = known.get(id)
          const revision = revisionOf(endpoint)
          if (before !== undefined && !isDue(before)) return { ...before, view: { ...before.view, name, revision } }
          return { view: { id, name, revision, ...healthOf(await readEndpointLoad(store, id)) }, readAt: now }
        }),
      )
      known = new Map(read.map((one) => [one.view.id, one]))
      return read.map(({ view }) => view)
    },
  }
}

function isBusy({ jobs, workers }: EndpointLoadView): boolean {
  return jobs.inQueue + jobs.inProgress > 0 || Object.values(workers).some((count) => count > 0)
}
