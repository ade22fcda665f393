// Operations of REST v2 about an account: what was used, its SSH keys, and lists that are empty here because a pool has nothing of the kind.
import { z } from 'zod'
import { BillingQuery, BillingView, NoBillingView, ServerlessBillingQuery, ServerlessBillingView } from './billing.ts'
import { tagged } from './operation.ts'
import { IdParams, Pagination } from './shared.ts'

export const SshKeys = z
  .strictObject({ keys: z.array(z.string()) })
  .meta({ id: 'SshKeys', description: 'Public SSH keys. They are kept for clients; workers take no SSH.' })

const emptyList = <const N extends string>(name: N) =>
  z.object({ [name]: z.array(z.never()), pagination: Pagination } as { readonly [K in N]: z.ZodArray<z.ZodNever> } & {
    readonly pagination: typeof Pagination
  })

const nothing = <const N extends string>(id: string, name: N, summary: string) => ({ id, summary, reply: emptyList(name) }) as const
const noBilling = (id: string, of: string) =>
  ({ id, summary: `Billing of ${of}: no records`, querystring: BillingQuery, reply: NoBillingView }) as const

export const ACCOUNT_OPERATIONS = tagged('account', {
  'GET /v2/account/ssh-keys': { id: 'listSshKeys', summary: 'List the public SSH keys of this account', reply: SshKeys },
  'PUT /v2/account/ssh-keys': {
    id: 'replaceSshKeys',
    summary: 'Replace the public SSH keys of this account',
    body: SshKeys,
    reply: SshKeys,
  },
  'GET /v2/billing': { id: 'listBilling', summary: 'What was used, per bucket', querystring: BillingQuery, reply: BillingView },
  'GET /v2/billing/serverless': {
    id: 'listServerlessBilling',
    summary: 'What each endpoint used, per bucket',
    querystring: ServerlessBillingQuery,
    reply: ServerlessBillingView,
  },
  'GET /v2/billing/pods': noBilling('listPodBilling', 'pods'),
  'GET /v2/billing/endpoints': noBilling('listPublicEndpointBilling', 'public endpoints'),
  'GET /v2/billing/network-volumes': noBilling('listNetworkVolumeBilling', 'network volumes'),
  'GET /v2/billing/networkvolumes': noBilling('listNetworkVolumeBillingAlias', 'network volumes'),
  'GET /v2/billing/clusters': noBilling('listClusterBilling', 'clusters'),
  'GET /v2/clusters': nothing('listClusters', 'clusters', 'Clusters: there are none'),
  'GET /v2/registries/delegations': nothing('listDelegations', 'delegations', 'Delegated registries: there are none'),
  'GET /v2/catalog/templates': nothing('listPublicTemplates', 'templates', 'Public templates: there are none'),
  'GET /v2/serverless/:id/builds': {
    ...nothing('listEndpointBuilds', 'builds', 'Builds of an endpoint’s repository: there are none'),
    params: IdParams,
  },
})
