// Endpoints as this process last read them, so that a request costs no Redis read for its endpoint. Unknown ids are not cached, so an endpoint that was
// just created is found at once. The signal `endpoint-changed` drops one entry, a lost connection drops all, and entries expire.
import { RunyardError, type Endpoint } from '@runyard/schema'
import type { EndpointStore } from '@runyard/store'

const MAX_AGE_MS = 30_000

export type EndpointCache = ReturnType<typeof createEndpointCache>

export function createEndpointCache(endpoints: Pick<EndpointStore, 'get'>) {
  const known = new Map<string, { endpoint: Endpoint; readAt: number }>()
  // A read that began before a change must not be cached after it.
  let changes = 0

  async function read(id: string): Promise<Endpoint | undefined> {
    const before = changes
    const endpoint = await endpoints.get(id)
    if (endpoint !== undefined && before === changes) known.set(id, { endpoint, readAt: Date.now() })
    return endpoint
  }

  function remembered(id: string): Endpoint | undefined {
    const entry = known.get(id)
    return entry !== undefined && Date.now() - entry.readAt < MAX_AGE_MS ? entry.endpoint : undefined
  }

  const get = async (id: string): Promise<Endpoint | undefined> => remembered(id) ?? (await read(id))

  return {
    /** From memory alone. */
    known: remembered,
    get,
    /** @throws RunyardError('not_found') */
    async require(id: string): Promise<Endpoint> {
      const endpoint = await get(id)
      if (endpoint === undefined) throw new RunyardError('not_found', `endpoint not found: ${id}`)
      return endpoint
    },
    forget(id: string) {
      changes += 1
      known.delete(id)
    },
    clear() {
      changes += 1
      known.clear()
    },
  }
}
