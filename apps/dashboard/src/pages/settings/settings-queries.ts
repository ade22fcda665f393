import { queryOptions } from '@tanstack/react-query'
import type { KeyView, RegistryView, SecretView, VolumeView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'

const LOOK_MS = 30_000

export const keysQuery = queryOptions<readonly KeyView[]>({
  queryKey: ['keys'],
  queryFn: () => client.keys.list(),
  refetchInterval: LOOK_MS,
})
export const registriesQuery = queryOptions<readonly RegistryView[]>({
  queryKey: ['registries'],
  queryFn: () => client.registries.list(),
})
export const secretsQuery = queryOptions<readonly SecretView[]>({ queryKey: ['secrets'], queryFn: () => client.secrets.list() })
export const volumesQuery = queryOptions<readonly VolumeView[]>({
  queryKey: ['volumes'],
  queryFn: () => client.volumes.list(),
  refetchInterval: LOOK_MS,
})
export const configQuery = queryOptions({ queryKey: ['config'], queryFn: () => client.settings.list() })
export const webhookSecretsQuery = queryOptions({ queryKey: ['webhook-secrets'], queryFn: () => client.webhooks.secrets() })
export const webhookLogQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['webhook-log', endpointId],
    queryFn: () => client.webhooks.log(endpointId),
    refetchInterval: LOOK_MS / 3,
  })
