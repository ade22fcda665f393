// REST v1's template, translated into the model and back (management §2.2). The defaults are Runpod's.
import { defined, joinArgs, startCommandOf, type TemplateEdit } from '@runyard/core'
import type { Template } from '@runyard/schema'
import type { V1CreateTemplateBody, V1TemplateView, V1UpdateTemplateBody } from '@runyard/schema/api'

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

/** What it names. */
export function templateEdit(body: V1UpdateTemplateBody & Partial<Pick<V1CreateTemplateBody, 'isServerless' | 'category'>>): TemplateEdit {
  return defined({
    name: body.name,
    container: defined({
      image: body.imageName,
      entrypoint: body.dockerEntrypoint,
      args: body.dockerStartCmd === undefined ? undefined : joinArgs(body.dockerStartCmd),
      env: body.env,
      diskGb: body.containerDiskInGb,
      ports: body.ports,
      registryId: body.containerRegistryAuthId === undefined ? undefined : body.containerRegistryAuthId || null,
    }),
    notes: defined({
      isServerless: body.isServerless,
      isPublic: body.isPublic,
      category: body.category,
      readme: body.readme,
      volumeGb: body.volumeInGb,
      volumeMountPath: body.volumeMountPath,
    }),
  })
}

export function templateReply({ id, name, container, notes }: Template): V1TemplateView {
  const { entrypoint, args } = startCommandOf(container)
  return defined({
    id,
    name,
    imageName: container.image,
    isServerless: notes.isServerless,
    isPublic: notes.isPublic,
    isRunpod: false,
    category: notes.category,
    containerDiskInGb: container.diskGb ?? undefined,
    containerRegistryAuthId: container.registryId ?? undefined,
    dockerEntrypoint: [...entrypoint],
    dockerStartCmd: [...args],
    env: container.env,
    ports: container.ports,
    readme: notes.readme,
    volumeInGb: notes.volumeGb,
    volumeMountPath: notes.volumeMountPath,
    earned: 0,
    runtimeInMin: 0,
  })
}
