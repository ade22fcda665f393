// REST v2: the management model as it is (management §3.1). Everything is scoped to the owner of the key.
import type { GpuCatalogue } from '@runyard/core'
import type { FastifyInstance } from 'fastify'
import type { ShownSetting } from '@runyard/kit'
import { RunyardError, type Config, type Prices } from '@runyard/schema'
import { ONE_PAGE } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { callerOf, giveNotice } from '../caller.ts'
import type { ReadDataCenters } from '../data-centers.ts'
import type { ManagementModel } from '../model.ts'
import { registerAccountRoutes } from './account-routes.ts'
import { registerBillingRoutes } from './billing-routes.ts'
import type { TaskModel } from '../task-model.ts'
import { registerCatalogRoutes } from './catalog-routes.ts'
import { keyOf, originOf, restRoutes, withRestConventions, type RestApp, type RestConventionDeps } from './conventions.ts'
import { createChange, updateChange } from './endpoint-change.ts'
import { registerExplainRoute } from './explain-route.ts'
import { createKeyModel } from '../key-model.ts'
import { registerKeyRoutes, registerSessionRoutes } from './key-routes.ts'
import { createSharedAnswers } from '../../http/shared-answers.ts'
import type { Past } from '../../parts/past.ts'
import type { Notices } from '../../parts/notices.ts'
import { registerNoticeRoutes, registerSettingRoutes } from './installation-routes.ts'
import { registerLogRoute } from './log-route.ts'
import { endpointReply } from './replies.ts'
import { registerOutOfScopeRoutes } from './out-of-scope-routes.ts'
import { registerRegistryRoutes, registerSecretRoutes } from './registry-routes.ts'
import { registerHostRoutes, registerStandbyRoute } from './host-routes.ts'
import { registerPodRoutes } from './pod-routes.ts'
import { registerReleaseRoutes } from './release-routes.ts'
import { registerTemplateRoutes } from './templates.ts'
import { registerPlacedVolumes, registerVolumeRoutes } from './volume-routes.ts'
import { registerUsageRoute } from './usage-route.ts'
import { registerWebhookRoutes } from './webhook-routes.ts'
import { registerWorkerRoutes } from './worker-routes.ts'

export interface RestDeps extends RestConventionDeps {
  readonly model: ManagementModel
  readonly catalogue: GpuCatalogue
  readonly readDataCenters: ReadDataCenters
  readonly tasks: TaskModel
  readonly store: Store
  readonly config: Config
  readonly past: Past
  readonly prices: () => Prices
  readonly settings: readonly ShownSetting[]
  readonly notices: Pick<Notices, 'list' | 'test'>
}

export function registerRest(app: FastifyInstance, deps: RestDeps): void {
  const rest = withRestConventions(app, deps)
  const shared = createSharedAnswers(rest, deps.store)
  registerListRoute(rest, deps.model)
  registerEndpointRoutes(rest, deps.model)
  registerTemplateRoutes(rest, deps.model)
  registerRegistryRoutes(rest, deps.model)
  registerVolumeRoutes(rest, deps.model)
  registerPlacedVolumes(rest, { volumes: deps.model.volumes, store: deps.store })
  registerSecretRoutes(rest, deps.model)
  registerCatalogRoutes(rest, deps)
  registerAccountRoutes(rest, deps.model)
  registerBillingRoutes(rest, deps)
  registerPodRoutes(rest, deps.tasks)
  registerSessionRoutes(rest, deps.store)
  registerOutOfScopeRoutes(rest)
  registerWorkerRoutes(rest, deps)
  registerLogRoute(rest, deps)
  registerUsageRoute(rest, deps, shared)
  registerSettingRoutes(rest, deps)
  registerHostRoutes(rest, deps)
  registerReleaseRoutes(rest, deps)
  registerStandbyRoute(rest, deps)
  registerExplainRoute(rest, deps)
  registerWebhookRoutes(rest, deps)
  registerNoticeRoutes(rest, deps.notices, shared)
  registerKeyRoutes(rest, createKeyModel(deps.store))
}

/** What nested calls of a dev session need on the worker plane, and nothing else (sdk2-api §4.1). */
export function registerNestedRest(app: FastifyInstance, deps: RestConventionDeps & Pick<RestDeps, 'model'>): void {
  registerListRoute(withRestConventions(app, deps), deps.model)
}

function registerListRoute(app: RestApp, model: ManagementModel): void {
  const route = restRoutes(app)
  route('GET /v2/serverless', async (request) => {
    const endpoints = await model.list(keyOf(request).ownerId)
    return { endpoints: endpoints.map((endpoint) => endpointReply(endpoint, originOf(request))), pagination: ONE_PAGE }
  })
}

function registerEndpointRoutes(app: RestApp, model: ManagementModel): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => model.get(ownerId, id) })

  route('GET /v2/serverless/:id', async (request) =>
    endpointReply(await model.get(keyOf(request).ownerId, request.params.id), originOf(request)),
  )

  ownRoute('DELETE /v2/serverless/:id', (request) => model.remove(keyOf(request).ownerId, request.params.id))

  route('POST /v2/serverless', async (request, reply) => {
    const { body } = request
    const isNew = request.headers['if-none-match'] === '*'
    const target = { name: body.name, flashEnvironmentId: null, templateId: body.templateId, by: callerOf(request) }
    const { endpoint, created, notice } = await model.save(keyOf(request).ownerId, target, (current, template) => {
      if (isNew && current !== undefined) throw new RunyardError('conflict', `There is an endpoint "${body.name}" already.`)
      return createChange(body, template)
    })
    giveNotice(reply, notice)
    return reply.code(created ? 201 : 200).send(endpointReply(endpoint, originOf(request)))
  })

  ownRoute('PATCH /v2/serverless/:id', async (request, reply) => {
    const { params, body } = request
    const target = { id: params.id, templateId: body.templateId, by: callerOf(request) }
    const { endpoint, notice } = await model.save(keyOf(request).ownerId, target, (current, template) =>
      current === undefined ? {} : updateChange(body, current, template),
    )
    giveNotice(reply, notice)
    return endpointReply(endpoint, originOf(request))
  })
}
