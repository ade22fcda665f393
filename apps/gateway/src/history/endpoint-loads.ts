// The topic `endpoints`: the load of all endpoints of an owner as one state. A signal makes its endpoint be read again; a read that fails loses no signal.
// An endpoint with jobs or workers is also read every ten seconds, because a job that begins gives no signal. One at rest is read now and then, in case
// that a signal was lost.
import { createHash } from 'node:crypto'
import type { Endpoint, Signal } from '@runyard/schema'
import type { EndpointLoadView } from '@runyard/schema/api'
import { healthOf } from '../jobs/health.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import { readEndpointLoad } from '../parts/endpoint-load.ts'
import { followOwnEndpoints } from './own-endpoints.ts'

const READ_BUSY_MS = 10_000
const READ_IDLE_MS = 30 * 60_000

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

export function createEndpointLoads({ store }: Pick<GatewayDeps, 'store'>, ownerId: string) {
  const own = followOwnEndpoints(store, ownerId)
  let known = new Map<string, Known>()
  let changed = new Set<string>()

  async function readOne(endpoint: Endpoint, again: ReadonlySet<string>, before: Known | undefined): Promise<Known> {
    const { id, name } = endpoint
    const now = performance.now()
    const revision = revisionOf(endpoint)
    const mostMs = before !== undefined && isBusy(before.view) ? READ_BUSY_MS : READ_IDLE_MS
    const isDue = before === undefined || again.has(id) || now - before.readAt >= mostMs
    if (!isDue) return { ...before, view: { ...before.view, name, revision } }
    return { view: { id, name, revision, ...healthOf(await readEndpointLoad(store, id)) }, readAt: now }
  }

  return {
    /** Whether the state may have changed. */
    note(signal: Signal): boolean {
      own.note(signal)
      if (signal.kind === 'resync') known = new Map()
      if (!('endpointId' in signal)) return signal.kind === 'resync'
      // Also of one that is not known yet: the first read may be under way.
      changed.add(signal.endpointId)
      return known.has(signal.endpointId) || signal.kind === 'endpoint-changed'
    },
    async read(): Promise<readonly EndpointLoadView[]> {
      const [again, start] = [changed, known]
      changed = new Set()
      try {
        const { asked } = await own.read()
        const read = await Promise.all(asked.map((endpoint) => readOne(endpoint, again, start.get(endpoint.id))))
        // After a resync meanwhile, the next read reads all.
        if (known === start) known = new Map(read.map((one) => [one.view.id, one]))
        return read.map(({ view }) => view)
      } catch (error) {
        for (const id of again) changed.add(id)
        throw error
      }
    },
  }
}

function isBusy({ jobs, workers }: EndpointLoadView): boolean {
  return jobs.inQueue + jobs.inProgress > 0 || Object.values(workers).some((count) => count > 0)
}
