// A template: a named description of a worker container that endpoints can share (management §2.2, §3.5). Fields for people and pods are stored
// and echoed, and are not part of a spec.
import { z } from 'zod'
import { EndpointSpec } from './endpoint.ts'

export const TEMPLATE_CATEGORIES = ['NVIDIA', 'AMD', 'CPU'] as const

export const TemplateContainer = EndpointSpec.pick({
  image: true,
  entrypoint: true,
  args: true,
  env: true,
  diskGb: true,
  ports: true,
  registryId: true,
})
export type TemplateContainer = z.infer<typeof TemplateContainer>

export const TemplateNotes = z.object({
  /** Only such a template can be used for endpoints; the others are for pods. */
  isServerless: z.boolean(),
  isPublic: z.boolean(),
  category: z.enum(TEMPLATE_CATEGORIES),
  readme: z.string(),
  volumeGb: z.int().min(0),
  volumeMountPath: z.string(),
  startSsh: z.boolean(),
  startJupyter: z.boolean(),
  allowedCudaVersions: z.array(z.string()),
})
export type TemplateNotes = z.infer<typeof TemplateNotes>

/** The defaults of a template that does not set them. */
export const DEFAULT_NOTES: TemplateNotes = {
  isServerless: false,
  isPublic: false,
  category: 'NVIDIA',
  readme: '',
  volumeGb: 0,
  volumeMountPath: '',
  startSsh: true,
  startJupyter: true,
  allowedCudaVersions: [],
}

export const Template = z.object({
  id: z.string(),
  /** Unique per owner. */
  name: z.string(),
  ownerId: z.string(),
  container: TemplateContainer,
  notes: TemplateNotes,
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type Template = z.infer<typeof Template>
