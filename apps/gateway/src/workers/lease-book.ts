// What each worker holds according to Redis, whichever gateway handed it out. Read once per endpoint and some seconds, however many workers
// ping; what is read here may be stale by that much, so whoever acts on it must be fenced.
import type { JobStore, Lease } from '@runyard/store'

const MAX_AGE_MS = 3000

export interface LeaseBook {
  /** @throws RunyardError('store_unavailable') */
  heldBy(who: { readonly endpointId: string; readonly workerId: string }): Promise<readonly Lease[]>
}

interface Page {
  readonly readAt: number
  readonly leases: Promise<ReadonlyMap<string, readonly Lease[]>>
}

export function createLeaseBook(jobs: Pick<JobStore, 'leases'>): LeaseBook {
  const pages = new Map<string, Page>()

  function open(endpointId: string): Page {
    for (const [id, { readAt }] of pages) if (!isFresh(readAt)) pages.delete(id)
    const page = { readAt: Date.now(), leases: read(endpointId) }
    pages.set(endpointId, page)
    page.leases.catch(() => pages.delete(endpointId))
    return page
  }

  async function read(endpointId: string): Promise<ReadonlyMap<string, readonly Lease[]>> {
    const held = (await jobs.leases(endpointId)).filter(({ workerId }) => workerId !== undefined)
    return Map.groupBy(held, ({ workerId }) => workerId ?? '')
  }

  return {
    async heldBy({ endpointId, workerId }) {
      const known = pages.get(endpointId)
      const page = known !== undefined && isFresh(known.readAt) ? known : open(endpointId)
      return (await page.leases).get(workerId) ?? []
    },
  }
}

function isFresh(readAt: number): boolean {
  return Date.now() - readAt < MAX_AGE_MS
}
