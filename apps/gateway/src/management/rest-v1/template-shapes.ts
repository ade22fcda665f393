// REST v1's template as a table of fields (management §2.2). The defaults are Runpod's.
import { defined, joinArgs, startCommandOf, type TemplateEdit } from '@runyard/core'
import type { Template, TemplateContainer, TemplateNotes } from '@runyard/schema'
import type { V1CreateTemplateBody, V1TemplateView, V1UpdateTemplateBody } from '@runyard/schema/api'
import { fieldsOf, textOrNull } from '../fields.ts'

type TemplateBody = V1UpdateTemplateBody & Partial<Pick<V1CreateTemplateBody, 'isServerless' | 'category'>>

export const CONTAINER = fieldsOf<TemplateBody, V1TemplateView, TemplateContainer>()({
  image: 'imageName',
  entrypoint: { name: 'dockerEntrypoint', read: (words) => words, write: (_, container) => [...startCommandOf(container).entrypoint] },
  args: { name: 'dockerStartCmd', read: joinArgs, write: (_, container) => [...startCommandOf(container).args] },
  env: 'env',
  diskGb: { name: 'containerDiskInGb', read: (gb) => gb, write: (gb) => gb ?? undefined },
  ports: 'ports',
  registryId: { name: 'containerRegistryAuthId', read: textOrNull, write: (id) => id ?? undefined },
})

export const NOTES = fieldsOf<TemplateBody, V1TemplateView, TemplateNotes>()({
  isServerless: 'isServerless',
  isPublic: 'isPublic',
  category: 'category',
  readme: 'readme',
  volumeGb: 'volumeInGb',
  volumeMountPath: 'volumeMountPath',
})

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

export function templateEdit(body: TemplateBody): TemplateEdit {
  return defined({ name: body.name, container: CONTAINER.read(body), notes: NOTES.read(body) })
}

export function templateReply({ id, name, container, notes }: Template): V1TemplateView {
  return defined({ id, name, isRunpod: false, ...CONTAINER.write(container), ...NOTES.write(notes), earned: 0, runtimeInMin: 0 })
}
