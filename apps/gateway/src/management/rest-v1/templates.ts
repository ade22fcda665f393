// /templates (management §2.2): PATCH and its old alias. Templates that live in an endpoint are listed only if asked for. The defaults are Runpod's.
import { boundTemplate, defined, type TemplateEdit } from '@runyard/core'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, v1Route, type RestApp } from '../rest/conventions.ts'
import type { Template } from '@runyard/schema'
import type { V1CreateTemplateBody, V1TemplateView } from '@runyard/schema/api'
import { CONTAINER, NOTES, type V1TemplateBody } from '../template-fields.ts'

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

function newTemplate(body: V1CreateTemplateBody): TemplateEdit {
  const isServerless = body.isServerless ?? false
  return templateEdit({
    containerDiskInGb: 50,
    ports: ['8888/http', '22/tcp'],
    ...(isServerless ? {} : { volumeInGb: 20, volumeMountPath: '/workspace' }),
    ...body,
    isServerless,
  })
}

function templateEdit(body: V1TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.v1.read(body), notes: NOTES.v1.read(body) })
}

export function templateReply({ id, name, container, notes }: Template): V1TemplateView {
  return defined({ id, name, isRunpod: false, ...CONTAINER.v1.write(container), ...NOTES.v1.write(notes), earned: 0, runtimeInMin: 0 })
}
