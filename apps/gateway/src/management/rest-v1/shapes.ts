// REST v1's bodies of endpoints (management §2.1). Strict: an unknown member is a 400 that names it. Runpod's lists of GPUs, data centres and
// CUDA versions are closed; here they are what your hosts have, so the model judges them.
import { z } from 'zod'

const Flavor = z.string().regex(/^cpu\d[a-z]$/u, 'must be a CPU flavor such as cpu3g')
/** A comma would smuggle in others, a minus would exclude. */
const GpuType = z.string().regex(/^[^,-][^,]*$/u, 'must be a GPU type such as "NVIDIA L4"')

const EndpointMembers = {
  name: z.string().min(1).optional(),
  gpuTypeIds: z.array(GpuType).optional(),
  gpuCount: z.int().min(1).optional(),
  cpuFlavorIds: z.array(Flavor).min(1).optional(),
  vcpuCount: z.int().min(1).optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
  minCudaVersion: z.string().optional(),
  dataCenterIds: z.array(z.string()).optional(),
  networkVolumeId: z.string().optional(),
  networkVolumeIds: z.array(z.string()).optional(),
  workersMin: z.int().min(0).optional(),
  workersMax: z.int().min(0).optional(),
  idleTimeout: z.int().min(1).max(3600).optional(),
  scalerType: z.enum(['QUEUE_DELAY', 'REQUEST_COUNT']).optional(),
  scalerValue: z.int().min(1).optional(),
  executionTimeoutMs: z.int().min(0).optional(),
  flashboot: z.boolean().optional(),
}

export const CreateEndpointBody = z.strictObject({
  templateId: z.string().min(1),
  computeType: z.enum(['GPU', 'CPU']).optional(),
  ...EndpointMembers,
})
export type CreateEndpointBody = z.infer<typeof CreateEndpointBody>

/** GPU or CPU is settled for the life of an endpoint. */
export const UpdateEndpointBody = z.strictObject({ templateId: z.string().min(1).optional(), ...EndpointMembers })
export type UpdateEndpointBody = z.infer<typeof UpdateEndpointBody>

const Flag = z.enum(['true', 'false']).transform((word) => word === 'true')

export const EndpointQuery = z.object({ includeTemplate: Flag.default(false), includeWorkers: Flag.default(false) })
export type EndpointQuery = z.infer<typeof EndpointQuery>

/** Templates of everybody and of Runpod's there are none. */
export const TemplateQuery = z.object({
  includeEndpointBoundTemplates: Flag.default(false),
  includePublicTemplates: Flag.default(false),
  includeRunpodTemplates: Flag.default(false),
})
