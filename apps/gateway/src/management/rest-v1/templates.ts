// /templates (management §2.2): PATCH and its old alias. Templates that live in an endpoint are listed only if asked for. The defaults are Runpod's.
import { boundTemplate, defined, type TemplateEdit } from '@runyard/core'
import type { ManagementModel } from '../model.ts'
import { keyOf, v1Routes, type RestApp } from '../rest/conventions.ts'
import type { Template } from '@runyard/schema'
import type { V1CreateTemplateBody, V1TemplateView } from '@runyard/schema/api'
import { CONTAINER, NOTES, type V1TemplateBody } from '../template-fields.ts'

export function registerTemplateRoutes(app: RestApp, model: Pick<ManagementModel, 'list' | 'templates'>): void {
  const { templates } = model
  const route = v1Routes(app)
  const ownRoute = v1Routes(app, { find: (ownerId, id) => templates.get(ownerId, id) })

  route('GET /v1/templates', async (request) => {
    const { ownerId } = keyOf(request)
    const holders = request.query.includeEndpointBoundTemplates ? await model.list(ownerId) : []
    const bound = holders.filter(({ sharedTemplateId }) => sharedTemplateId === undefined).map(boundTemplate)
    return [...(await templates.list(ownerId)), ...bound].map(templateReply)
  })

  route('GET /v1/templates/:id', async (request) => templateReply(await templates.get(keyOf(request).ownerId, request.params.id)))

  ownRoute('DELETE /v1/templates/:id', (request) => templates.remove(keyOf(request).ownerId, { id: request.params.id }))

  route('POST /v1/templates', async (request) =>
    templateReply(await templates.save(keyOf(request).ownerId, undefined, newTemplate(request.body))),
  )

  for (const key of ['PATCH /v1/templates/:id', 'POST /v1/templates/:id/update'] as const) {
    ownRoute(key, async (request) =>
      templateReply(await templates.save(keyOf(request).ownerId, request.params.id, templateEdit(request.body))),
    )
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
