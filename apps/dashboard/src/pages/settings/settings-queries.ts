import { queryOptions } from '@tanstack/react-query'
import type { SecretView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'

const LOOK_MS = 30_000

export const secretsQuery = queryOptions<readonly SecretView[]>({ queryKey: ['secrets'], queryFn: () => client.secrets.list() })
export const configQuery = queryOptions({ queryKey: ['config'], queryFn: () => client.settings.list() })
export const webhookSecretsQuery = queryOptions({ queryKey: ['webhook-secrets'], queryFn: () => client.webhooks.secrets() })
export const webhookLogQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['webhook-log', endpointId],
    queryFn: () => client.webhooks.log(endpointId),
    refetchInterval: LOOK_MS / 3,
  })
