// /v2/templates (management §3.5): bodies → edits of a template, and replies. Templates that live in an endpoint are found by id and not listed.
import { ONE_PAGE, type TemplateView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, registerRemoval, restRoute, type RestApp } from './conventions.ts'
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateNotes } from '@runyard/schema'
import { CONTAINER, NOTES, type V2TemplateBody } from '../template-fields.ts'

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

/** One field of the dialect is two of the model. */
function readMounts({ mounts }: V2TemplateBody): Partial<TemplateNotes> {
  return mounts === undefined ? {} : { volumeGb: mounts.persistent?.size ?? 0, volumeMountPath: mounts.persistent?.path ?? '' }
}

function templateEdit(body: V2TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.v2.read(body), notes: { ...NOTES.v2.read(body), ...readMounts(body) } })
}

function templateReply({ id, name, container, notes, createdAt }: Template): TemplateView {
  const { volumeGb: size, volumeMountPath: path } = notes
  const mounts = size > 0 ? { persistent: { size, path } } : {}
  return {
    id,
    name,
    createdAt: new Date(createdAt).toISOString(),
    ...CONTAINER.v2.write(container),
    ...NOTES.v2.write(notes),
    mounts,
  }
}
