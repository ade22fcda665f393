// REST v1 for older clients (management §2): endpoints, templates and registry credentials, as adapters onto the model without rules of
// their own. Lists are bare arrays, creating answers 200, bad input is 400 with `error` and `message`.
import type { FastifyInstance } from 'fastify'
import type { UsageLine } from '@runyard/core'
import { RunyardError, type Volume } from '@runyard/schema'
import type { V1BillingView, V1VolumeView } from '@runyard/schema/api'
import { DIALECTS } from '../../http/errors.ts'
import { NO_PODS } from '../out-of-scope.ts'
import type { ManagementModel } from '../model.ts'
import { keyOf, v1Routes, withRestConventions, type RestApp, type RestConventionDeps } from '../rest/conventions.ts'
import { registerOutOfScopeRoutes } from '../rest/out-of-scope-routes.ts'
import { registryReply } from '../rest/registry-routes.ts'
import { type UsageDeps, readBilling } from '../usage-model.ts'
import { registerEndpointRoutes, type EndpointRouteDeps } from './endpoint-routes.ts'
import { registerTemplateRoutes } from './templates.ts'

export type RestV1Deps = RestConventionDeps & EndpointRouteDeps & UsageDeps

const OUT_OF_SCOPE = { '/pods': NO_PODS } as const

/** Paths are relative to the prefix that the scope is registered under. */
export function registerRestV1(app: FastifyInstance, deps: RestV1Deps): void {
  const rest = withRestConventions(app, deps, DIALECTS.restV1)
  registerEndpointRoutes(rest, deps)
  registerTemplateRoutes(rest, deps.model)
  registerRegistryRoutes(rest, deps.model)
  registerVolumeRoutes(rest, deps.model)
  registerBillingRoutes(rest, deps)
  registerOutOfScopeRoutes(rest, OUT_OF_SCOPE)
}

/** /containerregistryauth (management §2.4): what /v2/registries is, as bare arrays and with 200 for a new one. There is no update. */
function registerRegistryRoutes(app: RestApp, { registries }: Pick<ManagementModel, 'registries'>): void {
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => registries.get(ownerId, id) })
  route('GET /v1/containerregistryauth', async (request) => (await registries.list(keyOf(request).ownerId)).map(registryReply))

  route('POST /v1/containerregistryauth', async (request) => registryReply(await registries.add(keyOf(request).ownerId, request.body)))

  route('GET /v1/containerregistryauth/:id', async (request) =>
    registryReply(await registries.get(keyOf(request).ownerId, request.params.id)),
  )

  ownRoute('DELETE /v1/containerregistryauth/:id', (request) => registries.remove(keyOf(request).ownerId, request.params.id))
}

/** /billing (management §2.5), which runpodctl still asks. Amounts are 0, because there are no prices; the time is not multiplied by the GPUs. */
function registerBillingRoutes(app: RestApp, deps: UsageDeps): void {
  const route = v1Routes(app)
  route('GET /v1/billing/endpoints', async (request): Promise<V1BillingView> => {
    const { grouping, endpointId, gpuTypeId: gpuTypes, ...query } = request.query
    if (grouping === 'podId')
      throw new RunyardError('bad_request', 'What was used is kept per endpoint and GPU type here, not per worker; use another "grouping".')
    const { buckets } = await readBilling(deps, keyOf(request).ownerId, query)
    const isWanted = (line: UsageLine): boolean =>
      (endpointId === undefined || line.endpointId === endpointId) && (gpuTypes === undefined || gpuTypes.includes(line.gpuType ?? ''))
    return buckets.flatMap(({ range, lines }) =>
      [...Map.groupBy(lines.filter(isWanted), (line) => (grouping === 'endpointId' ? line.endpointId : line.gpuType) ?? '')].map(
        ([key, own]) => ({
          time: new Date(range.from).toISOString(),
          amount: 0,
          timeBilledMs: own.reduce((sum, { billableSeconds }) => sum + billableSeconds * 1000, 0),
          diskSpaceBilledGb: 0,
          [grouping]: key,
        }),
      ),
    )
  })
  route('GET /v1/billing/pods', () => [])
  route('GET /v1/pods', () => [])
  route('GET /v1/billing/networkvolumes', () => [])
}

/** Flash parses it strictly: these four members and no other (flash-api §4.3). */
function volumeReply({ id, name, sizeGb, dataCenterId }: Volume): V1VolumeView {
  return { id, name, size: sizeGb, dataCenterId: dataCenterId ?? '' }
}

/** /networkvolumes (management §2.3). */
function registerVolumeRoutes(app: RestApp, { volumes }: Pick<ManagementModel, 'volumes'>): void {
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => volumes.get(ownerId, id) })
  route('GET /v1/networkvolumes', async (request) => (await volumes.list(keyOf(request).ownerId, 'network')).map(volumeReply))

  route('POST /v1/networkvolumes', async (request) => {
    const { name, size: sizeGb, dataCenterId } = request.body
    return volumeReply(await volumes.add(keyOf(request).ownerId, { name, sizeGb, dataCenterId }))
  })

  route('GET /v1/networkvolumes/:id', async (request) => volumeReply(await volumes.get(keyOf(request).ownerId, request.params.id)))

  for (const key of ['PATCH /v1/networkvolumes/:id', 'POST /v1/networkvolumes/:id/update'] as const) {
    ownRoute(key, async (request) => {
      const { name, size } = request.body
      return volumeReply(await volumes.change(keyOf(request).ownerId, request.params.id, { name, sizeGb: size }))
    })
  }

  ownRoute('DELETE /v1/networkvolumes/:id', (request) => volumes.remove(keyOf(request).ownerId, request.params.id))
}
