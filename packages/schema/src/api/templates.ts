// REST v2's shapes of a template (management §3.5). Bodies are strict, as those of endpoints.
import { z } from 'zod'
import { ENDPOINT_RANGES } from '../bounds.ts'
import { TEMPLATE_CATEGORIES } from '../template.ts'
import { DateTime, Pagination, RegistryReference, whole } from './shared.ts'

const Mounts = z.strictObject({ persistent: z.strictObject({ size: z.int().min(10), path: z.string().min(1) }).optional() })

/** Members that Runpod's Terraform provider sends, from an older dialect (production §2.5). */
const TerraformMembers = {
  containerRegistryAuthId: z.string().optional().describe('`registry`, where that is absent.'),
  dockerEntrypoint: z.array(z.string()).optional().describe('The entrypoint of the image, in words.'),
  dockerStartCmd: z.array(z.string()).optional().describe('`args` in words, where those are absent.'),
}
const TerraformMounts = z.tuple([z.strictObject({ volumeInGb: z.int().min(0), volumeMountPath: z.string().optional() })])

const OptionalMembers = {
  args: z.string().optional().describe('The start command, in shell words.'),
  disk: whole(1, ENDPOINT_RANGES.diskGb.max).optional().describe('GB.'),
  ports: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  registry: RegistryReference.optional(),
  mounts: z.union([Mounts, TerraformMounts]).optional(),
  public: z.boolean().optional(),
  category: z.enum(TEMPLATE_CATEGORIES).optional(),
  readme: z.string().optional(),
  startSsh: z.boolean().optional(),
  startJupyter: z.boolean().optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
  ...TerraformMembers,
}

export const CreateTemplateBody = z
  .strictObject({ name: z.string().min(1), image: z.string().min(1), serverless: z.boolean().optional(), ...OptionalMembers })
  .meta({ id: 'CreateTemplateBody' })
export type CreateTemplateBody = z.infer<typeof CreateTemplateBody>

/** A template that makes endpoints never becomes one for pods, and the other way round. */
export const UpdateTemplateBody = z
  .strictObject({ name: z.string().min(1).optional(), image: z.string().min(1).optional(), ...OptionalMembers })
  .meta({ id: 'UpdateTemplateBody', description: 'What is to change; what is absent stays.' })
export type UpdateTemplateBody = z.infer<typeof UpdateTemplateBody>

/** Templates of other dialects have smaller mounts, and empty paths. */
const ShownMounts = z.object({ persistent: z.object({ size: z.int(), path: z.string() }).optional() })

export const TemplateView = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: DateTime,
    image: z.string(),
    args: z.string(),
    disk: z.int().describe('GB.'),
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
  .meta({ id: 'Template', description: 'What a worker container is made of, under a name that endpoints can share.' })
export type TemplateView = z.infer<typeof TemplateView>

export const TemplateListView = z.object({ templates: z.array(TemplateView), pagination: Pagination }).meta({ id: 'TemplateList' })
export type TemplateListView = z.infer<typeof TemplateListView>
