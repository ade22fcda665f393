// /v2/templates (management §3.5). Those that live in an endpoint are found by id and not listed.
import { CreateTemplateBody, IdParams, ONE_PAGE, TemplateListView, TemplateView, UpdateTemplateBody } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval } from './conventions.ts'
import type { RestApp } from './conventions.ts'
import { templateEdit, templateReply } from './template-shapes.ts'

export function registerTemplateRoutes(app: RestApp, { templates }: Pick<ManagementModel, 'templates'>): void {
  app.route({
    method: 'GET',
    url: '/v2/templates',
    schema: { response: { 200: TemplateListView } },
    handler: async (request) => ({
      templates: (await templates.list(keyOf(request).ownerId)).map(templateReply),
      pagination: ONE_PAGE,
    }),
  })

  app.route({
    method: 'POST',
    url: '/v2/templates',
    schema: { body: CreateTemplateBody, response: { 201: TemplateView } },
    handler: async (request, reply) =>
      reply.code(201).send(templateReply(await templates.save(keyOf(request).ownerId, undefined, templateEdit(request.body)))),
  })

  app.route({
    method: 'GET',
    url: '/v2/templates/:id',
    schema: { params: IdParams, response: { 200: TemplateView } },
    handler: async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    method: 'PATCH',
    url: '/v2/templates/:id',
    config: { find: (ownerId, id) => templates.get(ownerId, id) },
    schema: { params: IdParams, body: UpdateTemplateBody, response: { 200: TemplateView } },
    handler: async (request) => templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
  })

  registerRemoval(app, '/v2/templates/:id', {
    find: (ownerId, id) => templates.get(ownerId, id),
    remove: (ownerId, id) => templates.remove(ownerId, { id }),
  })
}
