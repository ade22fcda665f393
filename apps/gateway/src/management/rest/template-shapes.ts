// REST v2's shape of a template and its translation into the model and back (management §3.5). Bodies are strict, as those of endpoints.
import { TEMPLATE_CATEGORIES } from '@runyard/schema'
import type { Template } from '@runyard/schema'
import { z } from 'zod'
import { defined } from '../defined.ts'
import type { TemplateEdit } from '../model-template.ts'
import { Pagination, RegistryReference } from './shapes.ts'

/** Other dialects have smaller ones, and paths that are empty. */
const ShownMounts = z.object({ persistent: z.object({ size: z.int(), path: z.string() }).optional() })

const Mounts = z.strictObject({ persistent: z.strictObject({ size: z.int().min(10), path: z.string().min(1) }).optional() })

const OptionalMembers = {
  args: z.string().optional(),
  disk: z.int().min(1).optional(),
  ports: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  registry: RegistryReference.optional(),
  mounts: Mounts.optional(),
  public: z.boolean().optional(),
  category: z.enum(TEMPLATE_CATEGORIES).optional(),
  readme: z.string().optional(),
  startSsh: z.boolean().optional(),
  startJupyter: z.boolean().optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
}

export const CreateTemplateBody = z.strictObject({
  name: z.string().min(1),
  image: z.string().min(1),
  serverless: z.boolean().optional(),
  ...OptionalMembers,
})

/** Whether it makes endpoints or pods is settled for its life. */
export const UpdateTemplateBody = z.strictObject({
  name: z.string().min(1).optional(),
  image: z.string().min(1).optional(),
  ...OptionalMembers,
})

type TemplateBody = z.infer<typeof UpdateTemplateBody> & { readonly serverless?: boolean | undefined }

export const TemplateShape = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  image: z.string(),
  args: z.string(),
  disk: z.int().nullable(),
  ports: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  registry: z.string().nullable(),
  mounts: ShownMounts,
  serverless: z.boolean(),
  public: z.boolean(),
  category: z.enum(TEMPLATE_CATEGORIES),
  readme: z.string(),
  startSsh: z.boolean(),
  startJupyter: z.boolean(),
  allowedCudaVersions: z.array(z.string()),
})

export const TemplateListShape = z.object({ templates: z.array(TemplateShape), pagination: Pagination })

export function templateEdit(body: TemplateBody): TemplateEdit {
  const { mounts } = body
  return defined({
    name: body.name,
    container: defined({
      image: body.image,
      args: body.args,
      env: body.env,
      diskGb: body.disk,
      ports: body.ports,
      registryId: body.registry,
    }),
    notes: defined({
      isServerless: body.serverless,
      isPublic: body.public,
      category: body.category,
      readme: body.readme,
      volumeGb: mounts === undefined ? undefined : (mounts.persistent?.size ?? 0),
      volumeMountPath: mounts === undefined ? undefined : (mounts.persistent?.path ?? ''),
      startSsh: body.startSsh,
      startJupyter: body.startJupyter,
      allowedCudaVersions: body.allowedCudaVersions,
    }),
  })
}

export function templateReply({ id, name, container, notes, createdAt }: Template): z.infer<typeof TemplateShape> {
  const { volumeGb: size, volumeMountPath: path } = notes
  return {
    id,
    name,
    createdAt: new Date(createdAt).toISOString(),
    image: container.image,
    args: container.args,
    disk: container.diskGb,
    ports: container.ports,
    env: container.env,
    registry: container.registryId,
    mounts: size > 0 ? { persistent: { size, path } } : {},
    serverless: notes.isServerless,
    public: notes.isPublic,
    category: notes.category,
    readme: notes.readme,
    startSsh: notes.startSsh,
    startJupyter: notes.startJupyter,
    allowedCudaVersions: notes.allowedCudaVersions,
  }
}
