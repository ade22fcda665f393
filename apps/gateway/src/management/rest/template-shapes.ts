// REST v2's template as a table of fields (management §3.5).
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateContainer, TemplateNotes } from '@runyard/schema'
import type { CreateTemplateBody, TemplateView, UpdateTemplateBody } from '@runyard/schema/api'
import { fieldsOf } from '../fields.ts'

type TemplateBody = UpdateTemplateBody & Partial<Pick<CreateTemplateBody, 'serverless'>>

export const CONTAINER = fieldsOf<TemplateBody, TemplateView, TemplateContainer>()({
  image: 'image',
  args: 'args',
  diskGb: 'disk',
  ports: 'ports',
  env: 'env',
  registryId: 'registry',
})

export const NOTES = fieldsOf<TemplateBody, TemplateView, TemplateNotes>()({
  isServerless: 'serverless',
  isPublic: 'public',
  category: 'category',
  readme: 'readme',
  startSsh: 'startSsh',
  startJupyter: 'startJupyter',
  allowedCudaVersions: 'allowedCudaVersions',
})

/** One field of the dialect is two of the model. */
function readMounts({ mounts }: TemplateBody): Partial<TemplateNotes> {
  return mounts === undefined ? {} : { volumeGb: mounts.persistent?.size ?? 0, volumeMountPath: mounts.persistent?.path ?? '' }
}

export function templateEdit(body: TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.read(body), notes: { ...NOTES.read(body), ...readMounts(body) } })
}

export function templateReply({ id, name, container, notes, createdAt }: Template): TemplateView {
  const { volumeGb: size, volumeMountPath: path } = notes
  const mounts = size > 0 ? { persistent: { size, path } } : {}
  return { id, name, createdAt: new Date(createdAt).toISOString(), ...CONTAINER.write(container), ...NOTES.write(notes), mounts }
}
