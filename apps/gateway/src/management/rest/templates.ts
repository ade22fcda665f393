// /v2/templates (management §3.5): bodies → edits of a template, and replies. Templates that live in an endpoint are found by id and not listed.
import { ONE_PAGE, type TemplateView } from '@runyard/schema/api'
import type { ManagementModel } from '../model.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateNotes } from '@runyard/schema'
import { CONTAINER, NOTES, type V2TemplateBody } from '../template-fields.ts'

export function registerTemplateRoutes(app: RestApp, { templates }: Pick<ManagementModel, 'templates'>): void {
  const route = restRoutes(app)
  const ownRoute = restRoutes(app, { find: (ownerId, id) => templates.get(ownerId, id) })
  route('GET /v2/templates', async (request) => ({
    templates: (await templates.list(keyOf(request).ownerId)).map(templateReply),
    pagination: ONE_PAGE,
  }))

  route('POST /v2/templates', async (request) =>
    templateReply(await templates.save(keyOf(request).ownerId, undefined, templateEdit(request.body))),
  )

  route('GET /v2/templates/:id', async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('PATCH /v2/templates/:id', async (request) =>
    templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
  )

  ownRoute('DELETE /v2/templates/:id', (request) => templates.remove(keyOf(request).ownerId, { id: request.params.id }))
}

/** One field of the dialect is two of the model. A list: of Terraform's. */
function readMounts({ mounts }: V2TemplateBody): Partial<TemplateNotes> {
  if (Array.isArray(mounts)) return { volumeGb: mounts[0].volumeInGb, volumeMountPath: mounts[0].volumeMountPath ?? '' }
  return mounts === undefined ? {} : { volumeGb: mounts.persistent?.size ?? 0, volumeMountPath: mounts.persistent?.path ?? '' }
}

/** Terraform names some members as REST v1 does. */
function templateEdit(body: V2TemplateBody): TemplateEdit {
  const container = { ...CONTAINER.v1.read(body), ...CONTAINER.v2.read(body) }
  return defined({ name: body.name, container, notes: { ...NOTES.v2.read(body), ...readMounts(body) } })
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
