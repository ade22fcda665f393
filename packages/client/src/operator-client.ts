// What an operator manages beside endpoints: API keys, the effective configuration, hosts.
import type { Cordon, KeyLimits } from '@runyard/schema'
import type {
  CordonBody,
  CreateKeyBody,
  HostListView,
  KeyListView,
  KeyView,
  NewKeyView,
  ReleasedCardView,
  SettingListView,
} from '@runyard/schema/api'
import { toQuery, type Send } from './http.ts'

export function createKeyClient(send: Send) {
  const at = (id: string): string => `/runyard/v1/keys/${encodeURIComponent(id)}`
  return {
    /** Oldest first. `*`: of all owners, for the operator. */
    list: async (owner?: string) => (await send<KeyListView>(`/runyard/v1/keys?${toQuery({ owner })}`)).keys,
    /** The only answer with the key itself, as that of `rotate`. */
    create: (body: CreateKeyBody) => send<NewKeyView>('/runyard/v1/keys', { body }),
    /** Those that are not named stay. */
    limit: (id: string, limits: KeyLimits) => send<KeyView>(at(id), { method: 'PATCH', body: { limits } }),
    /** The old key ends at once. */
    rotate: (id: string) => send<NewKeyView>(`${at(id)}/rotate`, { method: 'POST' }),
    /** Ends a key at once and for good. */
    revoke: (id: string) => send<void>(at(id), { method: 'DELETE' }),
  }
}

export function createSettingClient(send: Send) {
  /** In the schema's order, without secrets. */
  return { list: async () => (await send<SettingListView>('/runyard/v1/config')).settings }
}

export function createHostClient(send: Send) {
  const at = (hostId: string): string => `/runyard/v1/hosts/${encodeURIComponent(hostId)}`
  return {
    list: async () => (await send<HostListView>('/runyard/v1/hosts')).hosts,
    /** A host gets no new workers; with `drain` its workers leave, too. */
    cordon: (hostId: string, body: CordonBody) => send<Cordon>(`${at(hostId)}/cordon`, { method: 'PUT', body }),
    uncordon: (hostId: string) => send<void>(`${at(hostId)}/cordon`, { method: 'DELETE' }),
    /** Ends the quarantine of a GPU. */
    release: (hostId: string, gpu: string) =>
      send<ReleasedCardView>(`${at(hostId)}/gpus/${encodeURIComponent(gpu)}/release`, { method: 'POST' }),
    /** One that was taken out of the configuration, with its cordon. */
    forget: (hostId: string) => send<void>(at(hostId), { method: 'DELETE' }),
  }
}
