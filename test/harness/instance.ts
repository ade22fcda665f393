// Reads the instance id, which labels everything that belongs to one stack.
import { openStore } from '@runyard/store'

/** Undefined if the store is no longer reachable. */
export async function instanceId(redisUrl: string): Promise<string | undefined> {
  try {
    await using store = await openStore({ redisUrl, leaseMs: 40_000, retention: { asyncMs: 1000, syncMs: 1000 } })
    return (await store.instance()).id
  } catch {
    return undefined
  }
}
