// /v2/templates (management §3.5). Those that live in an endpoint are found by id and not listed.
import { ONE_PAGE } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, restRoute } from './conventions.ts'
import type { RestApp } from './conventions.ts'
import { templateEdit, templateReply } from './template-shapes.ts'

export function registerTemplateRoutes(app: RestApp, { templates }: Pick<ManagementModel, 'templates'>): void {
  app.route({
    ...restRoute('GET /v2/templates'),
    handler: async (request) => ({
      templates: (await templates.list(keyOf(request).ownerId)).map(templateReply),
      pagination: ONE_PAGE,
    }),
  })

  app.route({
    ...restRoute('POST /v2/templates'),
    handler: async (request, reply) =>
      reply.code(201).send(templateReply(await templates.save(keyOf(request).ownerId, undefined, templateEdit(request.body)))),
  })

  app.route({
    ...restRoute('GET /v2/templates/:id'),
    handler: async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)),
  })

  app.route({
    ...restRoute('PATCH /v2/templates/:id'),
    config: { find: (ownerId, id) => templates.get(ownerId, id) },
    handler: async (request) => templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
  })

  registerRemoval(app, {
    route: restRoute('DELETE /v2/templates/:id'),
    find: (ownerId, id) => templates.get(ownerId, id),
    remove: (ownerId, id) => templates.remove(ownerId, { id }),
  })
}
