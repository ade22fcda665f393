// What an operator manages beside endpoints: API keys of the caller’s owner, the effective configuration, cordons of hosts.
import type { Cordon } from '@runyard/schema'
import type { CordonBody, CreateKeyBody, KeyListView, KeyView, NewKeyView, SettingListView, SettingView } from '@runyard/schema/api'
import type { Send } from './http.ts'

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

export interface SettingClient {
  /** In the schema's order, without secrets. */
  list(): Promise<readonly SettingView[]>
  /** A host gets no new workers; with `drain` its workers leave, too. */
  cordon(hostId: string, body: CordonBody): Promise<Cordon>
  uncordon(hostId: string): Promise<void>
}

export function createSettingClient(send: Send): SettingClient {
  const at = (hostId: string): string => `/runyard/v1/hosts/${encodeURIComponent(hostId)}/cordon`
  return {
    list: async () => (await send<SettingListView>('/runyard/v1/config')).settings,
    cordon: (hostId, body) => send(at(hostId), { method: 'PUT', body }),
    uncordon: async (hostId) => void (await send(at(hostId), { method: 'DELETE' })),
  }
}
