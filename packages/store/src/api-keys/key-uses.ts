// When each API key was last used: recorded in memory by each request, written about once a minute. A crash loses at most a minute; an outage of
// Redis only delays the write.
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'

const noteScript = defineScript({
  lua: new URL('./note-uses.lua', import.meta.url),
  keys: ['records', 'uses'],
  args: { ids: 'texts', times: 'texts' },
  reply: nothing,
})

const WRITE_EVERY_MS = 60_000

export type KeyUses = ReturnType<typeof createKeyUses>

export function createKeyUses({ keys, run, onError }: Pick<StoreContext, 'keys' | 'run' | 'onError'>) {
  const { records, uses } = keys.apiKeys
  let noted = new Map<string, number>()

  async function write(): Promise<void> {
    if (noted.size === 0) return
    const batch = noted
    noted = new Map()
    try {
      await run(noteScript, { records, uses, ids: [...batch.keys()], times: [...batch.values()] })
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
    note(keyId: string, at: number) {
      noted.set(keyId, at)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await write().catch(() => undefined)
    },
  }
}
