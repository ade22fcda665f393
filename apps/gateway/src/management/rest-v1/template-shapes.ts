// REST v1 bodies → edits of a template, and the reply (management §2.2). The defaults are Runpod's.
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template } from '@runyard/schema'
import type { V1CreateTemplateBody, V1TemplateView } from '@runyard/schema/api'
import { CONTAINER, NOTES, type V1TemplateBody } from '../template-fields.ts'

export function newTemplate(body: V1CreateTemplateBody): TemplateEdit {
  const isServerless = body.isServerless ?? false
  return templateEdit({
    containerDiskInGb: 50,
    ports: ['8888/http', '22/tcp'],
    ...(isServerless ? {} : { volumeInGb: 20, volumeMountPath: '/workspace' }),
    ...body,
    isServerless,
  })
}

export function templateEdit(body: V1TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.v1.read(body), notes: NOTES.v1.read(body) })
}

export function templateReply({ id, name, container, notes }: Template): V1TemplateView {
  return defined({ id, name, isRunpod: false, ...CONTAINER.v1.write(container), ...NOTES.v1.write(notes), earned: 0, runtimeInMin: 0 })
}
