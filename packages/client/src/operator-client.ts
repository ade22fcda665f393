// What an operator manages beside endpoints: API keys, the effective configuration, hosts.
import type { Cordon, KeyLimits } from '@runyard/schema'
import type {
  CordonBody,
  CreateKeyBody,
  HostListView,
  HostView,
  KeyListView,
  KeyView,
  NewKeyView,
  ReleasedCardView,
  SettingListView,
  SettingView,
} from '@runyard/schema/api'
import { toQuery, type Send } from './http.ts'

export interface KeyClient {
  /** Oldest first. `*`: of all owners, for the operator. */
  list(owner?: string): Promise<readonly KeyView[]>
  /** The only answer with the key itself, as that of `rotate`. */
  create(body: CreateKeyBody): Promise<NewKeyView>
  /** Those that are not named stay. */
  limit(id: string, limits: KeyLimits): Promise<KeyView>
  /** The old key ends at once. */
  rotate(id: string): Promise<NewKeyView>
  /** Ends a key at once and for good. */
  revoke(id: string): Promise<void>
}

export function createKeyClient(send: Send): KeyClient {
  const at = (id: string): string => `/runyard/v1/keys/${encodeURIComponent(id)}`
  return {
    list: async (owner) => (await send<KeyListView>(`/runyard/v1/keys?${toQuery({ owner })}`)).keys,
    create: (body) => send('/runyard/v1/keys', { body }),
    limit: (id, limits) => send(at(id), { method: 'PATCH', body: { limits } }),
    rotate: (id) => send(`${at(id)}/rotate`, { method: 'POST' }),
    revoke: async (id) => void (await send(at(id), { method: 'DELETE' })),
  }
}

export interface SettingClient {
  /** In the schema's order, without secrets. */
  list(): Promise<readonly SettingView[]>
}

export function createSettingClient(send: Send): SettingClient {
  return { list: async () => (await send<SettingListView>('/runyard/v1/config')).settings }
}

export interface HostClient {
  list(): Promise<readonly HostView[]>
  /** A host gets no new workers; with `drain` its workers leave, too. */
  cordon(hostId: string, body: CordonBody): Promise<Cordon>
  uncordon(hostId: string): Promise<void>
  /** Ends the quarantine of a GPU. */
  release(hostId: string, gpu: string): Promise<ReleasedCardView>
  /** One that was taken out of the configuration, with its cordon. */
  forget(hostId: string): Promise<void>
}

export function createHostClient(send: Send): HostClient {
  const at = (hostId: string): string => `/runyard/v1/hosts/${encodeURIComponent(hostId)}`
  return {
    list: async () => (await send<HostListView>('/runyard/v1/hosts')).hosts,
    cordon: (hostId, body) => send(`${at(hostId)}/cordon`, { method: 'PUT', body }),
    uncordon: async (hostId) => void (await send(`${at(hostId)}/cordon`, { method: 'DELETE' })),
    release: (hostId, gpu) => send(`${at(hostId)}/gpus/${encodeURIComponent(gpu)}/release`, { method: 'POST' }),
    forget: async (hostId) => void (await send(at(hostId), { method: 'DELETE' })),
  }
}
