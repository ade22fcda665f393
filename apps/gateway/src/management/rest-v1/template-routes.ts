// /templates (management §2.2): PATCH and its old alias. Those that live in an endpoint are listed where they are asked for.
import { IdParams, V1CreateTemplateBody, V1TemplateQuery, V1UpdateTemplateBody } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { boundTemplate } from '../model-template.ts'
import { keyOf, registerRemoval } from '../rest/conventions.ts'
import type { RestApp } from '../rest/conventions.ts'
import { newTemplate, templateEdit, templateReply } from './template-shapes.ts'

export function registerTemplateRoutes(app: RestApp, model: Pick<ManagementModel, 'list' | 'templates'>): void {
  const { templates } = model
  registerSaveRoutes(app, model)

  app.route({
    method: 'GET',
    url: '/templates',
    schema: { querystring: V1TemplateQuery },
    handler: async (request) => {
      const { ownerId } = keyOf(request)
      const holders = request.query.includeEndpointBoundTemplates ? await model.list(ownerId) : []
      const bound = holders.filter(({ sharedTemplateId }) => sharedTemplateId === undefined).map(boundTemplate)
      return [...(await templates.list(ownerId)), ...bound].map(templateReply)
    },
  })

  app.route({
    method: 'GET',
    url: '/templates/:id',
    schema: { params: IdParams, querystring: V1TemplateQuery },
    handler: async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)),
  })

  registerRemoval(app, '/templates/:id', {
    find: (ownerId, id) => templates.get(ownerId, id),
    remove: (ownerId, id) => templates.remove(ownerId, { id }),
  })
}

function registerSaveRoutes(app: RestApp, { templates }: Pick<ManagementModel, 'templates'>): void {
  app.route({
    method: 'POST',
    url: '/templates',
    schema: { body: V1CreateTemplateBody },
    handler: async (request) => templateReply(await templates.save(keyOf(request).ownerId, undefined, newTemplate(request.body))),
  })

  for (const [method, url] of [
    ['PATCH', '/templates/:id'],
    ['POST', '/templates/:id/update'],
  ] as const) {
    app.route({
      method,
      url,
      config: { find: (ownerId, id) => templates.get(ownerId, id) },
      schema: { params: IdParams, body: V1UpdateTemplateBody },
      handler: async (request) =>
        templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
    })
  }
}
