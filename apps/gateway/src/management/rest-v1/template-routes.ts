// /templates (management §2.2): PATCH and its old alias. Those that live in an endpoint are listed where they are asked for.
import { boundTemplate } from '@runyard/core'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, v1Route } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'
import { newTemplate, templateEdit, templateReply } from './template-shapes.ts'

export function registerTemplateRoutes(app: RestApp, model: Pick<ManagementModel, 'list' | 'templates'>): void {
  const { templates } = model
  registerSaveRoutes(app, model)

  app.route({
    ...v1Route('GET /v1/templates'),
    handler: async (request) => {
      const { ownerId } = keyOf(request)
      const holders = request.query.includeEndpointBoundTemplates ? await model.list(ownerId) : []
      const bound = holders.filter(({ sharedTemplateId }) => sharedTemplateId === undefined).map(boundTemplate)
      return [...(await templates.list(ownerId)), ...bound].map(templateReply)
    },
  })

  app.route({
    ...v1Route('GET /v1/templates/:id'),
    handler: async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)),
  })

  registerRemoval(app, {
    route: v1Route('DELETE /v1/templates/:id'),
    find: (ownerId, id) => templates.get(ownerId, id),
    remove: (ownerId, id) => templates.remove(ownerId, { id }),
  })
}

function registerSaveRoutes(app: RestApp, { templates }: Pick<ManagementModel, 'templates'>): void {
  app.route({
    ...v1Route('POST /v1/templates'),
    handler: async (request) => templateReply(await templates.save(keyOf(request).ownerId, undefined, newTemplate(request.body))),
  })

  for (const key of ['PATCH /v1/templates/:id', 'POST /v1/templates/:id/update'] as const) {
    app.route({
      ...v1Route(key),
      config: { find: (ownerId, id) => templates.get(ownerId, id) },
      handler: async (request) =>
        templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
    })
  }
}
