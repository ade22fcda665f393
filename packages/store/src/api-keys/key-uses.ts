// When each API key was last used: noted in memory by each request, written about once a minute. A crash loses a minute of it, and Redis that
// is away only delays it.
import type { StoreContext } from '../context.ts'
import { NOTE_USES } from '../scripts/api-keys.ts'

const WRITE_EVERY_MS = 60_000

export interface KeyUses extends AsyncDisposable {
  note(keyId: string, at: number): void
}

export function createKeyUses({ keys, run, onError }: Pick<StoreContext, 'keys' | 'run' | 'onError'>): KeyUses {
  const { records, uses } = keys.apiKeys
  let noted = new Map<string, number>()

  async function write(): Promise<void> {
    if (noted.size === 0) return
    const batch = noted
    noted = new Map()
    try {
      await run(NOTE_USES, [records, uses], [...batch].flat())
    } catch (error) {
      noted = new Map([...batch, ...noted])
      throw error
    }
  }

  const timer = setInterval(() => {
    write().catch((error: unknown) => {
      onError(error instanceof Error ? error : new Error(String(error)))
    })
  }, WRITE_EVERY_MS).unref()
  return {
    note(keyId, at) {
      noted.set(keyId, at)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await write().catch(() => undefined)
    },
  }
}
