// The effective configuration, and cordons of hosts.
import type { Cordon } from '@runyard/schema'
import type { CordonBody, SettingListView, SettingView } from '@runyard/schema/api'
import type { Send } from './http.ts'

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
