// All endpoints, and those of one owner.
import type { Endpoint } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { namesBegin } from './owned.ts'
import { readEndpoint } from '../data/records.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { list, maybe, row, text } from '../scripts/replies.ts'
import type { Signals } from '../signals.ts'

export const ownedLua = defineLua({ lua: new URL('./owned.lua', import.meta.url) })

const listScript = defineScript({
  lua: new URL('./list-endpoints.lua', import.meta.url),
  keys: ['revision', 'records'],
  args: { known: 'text' },
  reply: row({ revision: text, texts: maybe(list(text)) }),
})

const listOwnedScript = defineScript({
  lua: new URL('./list-owned-endpoints.lua', import.meta.url),
  uses: [ownedLua],
  keys: ['revision', 'names', 'records'],
  args: { known: 'text', namesBegin: 'text' },
  reply: row({ revision: text, texts: maybe(list(text)) }),
})

export type EndpointLists = ReturnType<typeof createEndpointLists>

/** Of the hash of owners; no id has a colon. */
export const goneNameField = (id: string): string => `name:${id}`

/** What was read last; one for all that use a connection, whatever term they work under. */
export interface EndpointCache {
  known: Awaited<ReturnType<EndpointLists['of']>> | undefined
}

export function createEndpointCache(signals: Pick<Signals, 'subscribe'>): EndpointCache {
  const cache: EndpointCache = { known: undefined }
  // Redis may be another one than before.
  signals.subscribe((signal) => {
    if (signal.kind === 'resync') cache.known = undefined
  })
  return cache
}

type ListContext = Pick<StoreContext, 'client' | 'run' | 'keys' | 'endpointCache'>

/** Who looks at all endpoints does so each second, and mostly nothing has changed: then nothing but the revision is read. */
export function createEndpointLists({ client, run, keys, endpointCache }: ListContext) {
  const { records, names, owners, ownersSince } = keys.endpoints

  async function remembered(ids: readonly string[], fields: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = fields.length === 0 ? [] : await client.hmget(owners, ...fields)
    return new Map(ids.flatMap((id, index) => (typeof found[index] === 'string' ? [[id, found[index]]] : [])))
  }

  return {
    all: async (): Promise<readonly Endpoint[]> => {
      const before = endpointCache.known
      const { revision, texts } = await run(listScript, { revision: keys.revision, records, known: before?.revision ?? '' })
      if (texts === undefined) return before?.endpoints ?? []
      const endpoints = texts.map(readEndpoint)
      endpointCache.known = { revision, endpoints }
      return endpoints
    },
    /** As they were at that revision. */
    of: async (ownerId: string): Promise<{ readonly revision: string; readonly endpoints: readonly Endpoint[] }> => {
      const before = endpointCache.known
      const owner = { revision: keys.revision, names, records, known: before?.revision ?? '', namesBegin: namesBegin(ownerId) }
      const { revision, texts } = await run(listOwnedScript, owner)
      const known = before?.endpoints.filter((endpoint) => endpoint.ownerId === ownerId) ?? []
      return { revision, endpoints: texts?.map(readEndpoint) ?? known }
    },
    /** Of those ids that were deleted and are remembered. */
    goneOwners: (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => remembered(ids, ids),
    goneIds: (): Promise<readonly string[]> => client.zrange(ownersSince, '0', '-1'),
    goneNames: (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => remembered(ids, ids.map(goneNameField)),
  }
}
