// The id that labels everything of one stack, read where the stack keeps it.
import { openStore } from '@runyard/store'

/** Undefined where the store cannot be asked any more. */
export async function instanceId(redisUrl: string): Promise<string | undefined> {
  try {
    await using store = await openStore({ redisUrl, leaseMs: 40_000, retention: { asyncMs: 1000, syncMs: 1000 } })
    return (await store.instance()).id
  } catch {
    return undefined
  }
}
