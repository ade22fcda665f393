// API keys of the caller's owner.
import type { Send } from './http.ts'
import type { CreateKeyBody, KeyListView, KeyView, NewKeyView } from '@runyard/schema/api'

export interface KeyClient {
  /** Oldest first. */
  list(): Promise<readonly KeyView[]>
  /** The only answer with the key itself, as that of `rotate`. */
  create(body: CreateKeyBody): Promise<NewKeyView>
  /** The old key ends at once. */
  rotate(id: string): Promise<NewKeyView>
  /** Ends a key at once and for good. */
  revoke(id: string): Promise<void>
}

export function createKeyClient(send: Send): KeyClient {
  const at = (id: string): string => `/runyard/v1/keys/${encodeURIComponent(id)}`
  return {
    list: async () => (await send<KeyListView>('/runyard/v1/keys')).keys,
    create: (body) => send('/runyard/v1/keys', { body }),
    rotate: (id) => send(`${at(id)}/rotate`, { method: 'POST' }),
    revoke: async (id) => void (await send(at(id), { method: 'DELETE' })),
  }
}
