// The store of a stack: what a test reads there, and what it writes in the scaler's place.
import { randomBytes } from 'node:crypto'
import type { WorkerRecord } from '@runyard/schema'
import { openStore, type OpenStoreOptions, type Store } from '@runyard/store'
import { workerRecord } from '@runyard/testing/records'

export function openTestStore(redisUrl: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  return openStore({ redisUrl, leaseMs: 40_000, retention: { asyncMs: 60_000, syncMs: 60_000 }, ...options })
}

/** The id that labels everything of one stack; undefined if the store is no longer reachable. */
export async function instanceId(redisUrl: string): Promise<string | undefined> {
  try {
    await using store = await openTestStore(redisUrl)
    return (await store.instance()).id
  } catch {
    return undefined
  }
}

/** A worker as the scaler would write it, by default on a host that no scaler has. Returns its id and token. */
export async function addWorker(
  store: Store,
  endpointId: string,
  fields: Partial<WorkerRecord> = {},
): Promise<{ readonly id: string; readonly token: string }> {
  const endpoint = await store.endpoints.get(endpointId)
  if (endpoint === undefined) throw new Error(`no endpoint ${endpointId}`)
  const { specHash, version: endpointVersion } = endpoint
  const now = Date.now()
  const facts = { endpointId, hostId: 'test', specHash, endpointVersion, createdAt: now, containerStartedAt: now, ...fields }
  const id = `w${randomBytes(6).toString('hex')}`
  await store.workers.create(workerRecord(id, facts))
  return { id, token: await store.workerToken(endpointId, id) }
}
