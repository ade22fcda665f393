// The workers' heartbeats, and with them what each holds according to Redis, whichever gateway handed it out. A heartbeat is one command; one
// of each endpoint and some seconds brings all leases of the endpoint along. What is read here may be stale by that much, so whoever acts on it
// must be fenced.
import type { JobStore, Lease } from '@runyard/store'

const MAX_AGE_MS = 3000

export interface Heard {
  /** Named by the worker, but not its own. */
  readonly notHeld: readonly string[]
  /** Its own, whether it named them or not. */
  readonly held: readonly Lease[]
}

export interface LeaseBook {
  /** Writes down that the worker lives and renews the leases of the jobs that it names. @throws RunyardError('store_unavailable') */
  hear(who: { readonly endpointId: string; readonly workerId: string }, jobIds: readonly string[]): Promise<Heard>
}

interface Page {
  readonly readAt: number
  readonly leases: Promise<ReadonlyMap<string, readonly Lease[]>>
}

export function createLeaseBook(jobs: Pick<JobStore, 'heartbeat'>): LeaseBook {
  const pages = new Map<string, Page>()

  function open(endpointId: string, leases: Page['leases']): Page {
    for (const [id, { readAt }] of pages) if (!isFresh(readAt)) pages.delete(id)
    const page = { readAt: Date.now(), leases }
    pages.set(endpointId, page)
    page.leases.catch(() => pages.delete(endpointId))
    return page
  }

  return {
    async hear({ endpointId, workerId }, jobIds) {
      const known = pages.get(endpointId)
      const fresh = known !== undefined && isFresh(known.readAt) ? known : undefined
      const heartbeat = jobs.heartbeat(endpointId, workerId, { jobIds, withLeases: fresh === undefined })
      const page = fresh ?? open(endpointId, heartbeat.then(byHolder))
      const { notHeld } = await heartbeat
      return { notHeld, held: (await page.leases).get(workerId) ?? [] }
    },
  }
}

function byHolder({ leases = [] }: { readonly leases: readonly Lease[] | undefined }): ReadonlyMap<string, readonly Lease[]> {
  const held = leases.filter(({ workerId }) => workerId !== undefined)
  return Map.groupBy(held, ({ workerId }) => workerId ?? '')
}

function isFresh(readAt: number): boolean {
  return Date.now() - readAt < MAX_AGE_MS
}
