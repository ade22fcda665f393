// /endpoints (management §2.1): PATCH and its old alias, and the template and the workers of each where they are asked for.
import type { Endpoint } from '@runyard/schema'
import type { V1EndpointQuery } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { callerOf, giveNotice } from '../caller.ts'
import type { ManagementModel } from '../model.ts'
import { MODEL_TOOLS } from '../model-tools.ts'
import { keyOf, v1Routes, type RestApp } from '../rest/conventions.ts'
import { createChange, updateChange } from './endpoint-change.ts'
import { endpointReply, templateIdOf } from './replies.ts'

export interface EndpointRouteDeps {
  readonly model: ManagementModel
  readonly store: Pick<Store, 'workers'>
}

export function registerEndpointRoutes(app: RestApp, deps: EndpointRouteDeps): void {
  const { model } = deps
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => model.get(ownerId, id) })

  route('GET /v1/endpoints', async (request) => {
    const endpoints = await model.list(keyOf(request).ownerId)
    return Promise.all(endpoints.map((endpoint) => replyOf(deps, endpoint, request.query)))
  })

  route('GET /v1/endpoints/:id', async (request) =>
    replyOf(deps, await model.get(keyOf(request).ownerId, request.params.id), request.query),
  )

  ownRoute('DELETE /v1/endpoints/:id', (request) => model.remove(keyOf(request).ownerId, request.params.id))

  route('POST /v1/endpoints', async (request, reply) => {
    const body = { ...request.body, name: request.body.name ?? `endpoint-${MODEL_TOOLS.randomText(8)}` }
    const target = { name: body.name, flashEnvironmentId: null, templateId: body.templateId, by: callerOf(request) }
    const { endpoint, notice } = await model.save(keyOf(request).ownerId, target, (_, template) => createChange(body, template))
    giveNotice(reply, notice)
    return replyOf(deps, endpoint)
  })

  for (const key of ['PATCH /v1/endpoints/:id', 'POST /v1/endpoints/:id/update'] as const) {
    ownRoute(key, async (request, reply) => {
      const { params, body } = request
      const target = { id: params.id, templateId: body.templateId, by: callerOf(request) }
      const { endpoint, notice } = await model.save(keyOf(request).ownerId, target, (current, template) =>
        current === undefined ? {} : updateChange(body, current, template),
      )
      giveNotice(reply, notice)
      return replyOf(deps, endpoint)
    })
  }
}

async function replyOf({ model, store }: EndpointRouteDeps, endpoint: Endpoint, query: Partial<V1EndpointQuery> = {}) {
  const [template, workers] = await Promise.all([
    query.includeTemplate === true ? model.templates.get(endpoint.ownerId, templateIdOf(endpoint)) : undefined,
    query.includeWorkers === true ? store.workers.list(endpoint.id) : undefined,
  ])
  return endpointReply({ endpoint, template, workers })
}
