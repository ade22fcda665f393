// REST v1's shape of a template and its translation into the model and back (management §2.2). The defaults are Runpod's.
import { joinArgs, startCommandOf } from '@runyard/core'
import { TEMPLATE_CATEGORIES } from '@runyard/schema'
import type { Template } from '@runyard/schema'
import { z } from 'zod'
import { defined } from '../defined.ts'
import type { TemplateEdit } from '../model-template.ts'

const OptionalMembers = {
  containerDiskInGb: z.int().min(1).optional(),
  dockerEntrypoint: z.array(z.string()).optional(),
  dockerStartCmd: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  containerRegistryAuthId: z.string().optional(),
  volumeInGb: z.int().min(0).optional(),
  volumeMountPath: z.string().optional(),
  isPublic: z.boolean().optional(),
  readme: z.string().optional(),
}

export const CreateTemplateBody = z.strictObject({
  name: z.string().min(1),
  imageName: z.string().min(1),
  isServerless: z.boolean().optional(),
  category: z.enum(TEMPLATE_CATEGORIES).optional(),
  ...OptionalMembers,
})

/** Whether it makes endpoints or pods, and for which cards, is settled for its life. */
export const UpdateTemplateBody = z.strictObject({
  name: z.string().min(1).optional(),
  imageName: z.string().min(1).optional(),
  ...OptionalMembers,
})

type UpdateBody = z.infer<typeof UpdateTemplateBody>
type CreateBody = z.infer<typeof CreateTemplateBody>

export function newTemplate(body: CreateBody): TemplateEdit {
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
export function templateEdit(body: UpdateBody & Partial<Pick<CreateBody, 'isServerless' | 'category'>>): TemplateEdit {
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

export function templateReply({ id, name, container, notes }: Template): Record<string, unknown> {
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
    dockerEntrypoint: entrypoint,
    dockerStartCmd: args,
    env: container.env,
    ports: container.ports,
    readme: notes.readme,
    volumeInGb: notes.volumeGb,
    volumeMountPath: notes.volumeMountPath,
    earned: 0,
    runtimeInMin: 0,
  })
}
