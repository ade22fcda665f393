// REST v2 bodies → edits of a template, and the reply (management §3.5).
import { defined, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateNotes } from '@runyard/schema'
import type { TemplateView } from '@runyard/schema/api'
import { CONTAINER, NOTES, type V2TemplateBody } from '../template-fields.ts'

/** One field of the dialect is two of the model. */
function readMounts({ mounts }: V2TemplateBody): Partial<TemplateNotes> {
  return mounts === undefined ? {} : { volumeGb: mounts.persistent?.size ?? 0, volumeMountPath: mounts.persistent?.path ?? '' }
}

export function templateEdit(body: V2TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.v2.read(body), notes: { ...NOTES.v2.read(body), ...readMounts(body) } })
}

export function templateReply({ id, name, container, notes, createdAt }: Template): TemplateView {
  const { volumeGb: size, volumeMountPath: path } = notes
  const mounts = size > 0 ? { persistent: { size, path } } : {}
  return { id, name, createdAt: new Date(createdAt).toISOString(), ...CONTAINER.v2.write(container), ...NOTES.v2.write(notes), mounts }
}
