// Login requests (ADR 68): few, short-lived, each moved from state to state by one caller.
import { LoginRequest } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readLogin } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag } from '../scripts/replies.ts'

export type LoginStore = ReturnType<typeof createLoginStore>

const createScript = defineScript({
  lua: new URL('./create-login.lua', import.meta.url),
  keys: ['records', 'expiries'],
  args: { id: 'text', record: 'text', expiresAt: 'number', now: 'number', most: 'number' },
  reply: flag,
})

const moveScript = defineScript({
  lua: new URL('./move-login.lua', import.meta.url),
  keys: ['records'],
  args: { id: 'text', before: 'text', after: 'text' },
  reply: flag,
})

/** Members always in the same order, since the script compares texts. */
const toText = (request: LoginRequest): string => JSON.stringify(LoginRequest.parse(request))

export function createLoginStore({ client, keys, run }: StoreContext) {
  const { records, expiries } = keys.logins
  return {
    /** False: as many are open as may be. */
    create: (request: LoginRequest, { most, now }: { readonly most: number; readonly now: number }): Promise<boolean> =>
      run(createScript, { records, expiries, id: request.id, record: toText(request), expiresAt: request.expiresAt, now, most }),
    /** As it was stored; undefined: unknown, or expired and gone. */
    async get(id: string): Promise<LoginRequest | undefined> {
      const text = await client.hget(records, id)
      return text === null ? undefined : readLogin(text)
    },
    /** False: another caller has moved it meanwhile. */
    move: (before: LoginRequest, after: LoginRequest): Promise<boolean> =>
      run(moveScript, { records, id: before.id, before: toText(before), after: toText(after) }),
  }
}
