// REST v1's bodies (management §2). Strict: an unknown member is a 400 that names it. Runpod's lists of GPUs, data centres and
// CUDA versions are closed; here they are what your hosts have, so the model judges them.
import { z } from 'zod'
import { ENDPOINT_RANGES as RANGES } from '../bounds.ts'
import { TEMPLATE_CATEGORIES } from '../template.ts'
import { DateTime, MOST_WORKERS, whole } from './shared.ts'

const Flavor = z.string().regex(/^cpu\d[a-z]$/u, 'must be a CPU flavor such as cpu3g')
/** A comma would smuggle in others, a minus would exclude. */
const GpuType = z.string().regex(/^[^,-][^,]*$/u, 'must be a GPU type such as "NVIDIA L4"')

const endpointMembers = {
  name: z.string().min(1).optional(),
  gpuTypeIds: z.array(GpuType).optional(),
  gpuCount: whole(1, RANGES.gpuCount.max).optional(),
  cpuFlavorIds: z.array(Flavor).min(1).optional(),
  vcpuCount: z.int().min(1).optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
  minCudaVersion: z.string().optional(),
  dataCenterIds: z.array(z.string()).optional(),
  networkVolumeId: z.string().optional(),
  networkVolumeIds: z.array(z.string()).optional(),
  workersMin: whole(0, MOST_WORKERS).optional(),
  workersMax: whole(0, MOST_WORKERS).optional(),
  idleTimeout: whole(RANGES.idleTimeoutS.min, RANGES.idleTimeoutS.max).max(RANGES.idleTimeoutS.max).optional(),
  scalerType: z.enum(['QUEUE_DELAY', 'REQUEST_COUNT']).optional(),
  scalerValue: whole(1, RANGES.requestCount.max).optional(),
  executionTimeoutMs: whole(0, RANGES.executionTimeoutS.max * 1000).optional(),
  flashboot: z.boolean().optional(),
}

export const V1CreateEndpointBody = z
  .strictObject({
    templateId: z.string().min(1),
    computeType: z.enum(['GPU', 'CPU']).optional(),
    ...endpointMembers,
  })
  .meta({ id: 'V1CreateEndpointBody' })
export type V1CreateEndpointBody = z.infer<typeof V1CreateEndpointBody>

/** GPU or CPU is settled for the life of an endpoint. */
export const V1UpdateEndpointBody = z
  .strictObject({ templateId: z.string().min(1).optional(), ...endpointMembers })
  .meta({ id: 'V1UpdateEndpointBody' })
export type V1UpdateEndpointBody = z.infer<typeof V1UpdateEndpointBody>

const templateMembers = {
  containerDiskInGb: whole(1, RANGES.diskGb.max).optional(),
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

export const V1CreateTemplateBody = z
  .strictObject({
    name: z.string().min(1),
    imageName: z.string().min(1),
    isServerless: z.boolean().optional(),
    category: z.enum(TEMPLATE_CATEGORIES).optional(),
    ...templateMembers,
  })
  .meta({ id: 'V1CreateTemplateBody' })

export type V1CreateTemplateBody = z.infer<typeof V1CreateTemplateBody>

/** Whether it makes endpoints or pods, and for which cards, is settled for its life. */
export const V1UpdateTemplateBody = z
  .strictObject({
    name: z.string().min(1).optional(),
    imageName: z.string().min(1).optional(),
    ...templateMembers,
  })
  .meta({ id: 'V1UpdateTemplateBody' })
export type V1UpdateTemplateBody = z.infer<typeof V1UpdateTemplateBody>

const Flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((word) => word === 'true')

export const V1EndpointQuery = z.object({ includeTemplate: Flag, includeWorkers: Flag })
export type V1EndpointQuery = z.infer<typeof V1EndpointQuery>

/** Templates of everybody and of Runpod's there are none. */
export const V1TemplateQuery = z.object({
  includeEndpointBoundTemplates: Flag,
  includePublicTemplates: Flag,
  includeRunpodTemplates: Flag,
})

const money = { earned: z.number(), runtimeInMin: z.number() }

export const V1TemplateView = z
  .object({
    id: z.string(),
    name: z.string(),
    imageName: z.string(),
    isServerless: z.boolean(),
    isPublic: z.boolean(),
    isRunpod: z.boolean(),
    category: z.enum(TEMPLATE_CATEGORIES),
    containerDiskInGb: z.int().optional(),
    containerRegistryAuthId: z.string().optional(),
    dockerEntrypoint: z.array(z.string()),
    dockerStartCmd: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    ports: z.array(z.string()),
    readme: z.string(),
    volumeInGb: z.int(),
    volumeMountPath: z.string(),
    ...money,
  })
  .meta({ id: 'V1Template' })
export type V1TemplateView = z.infer<typeof V1TemplateView>

/** A worker is a "Pod" there. */
export const V1WorkerView = z
  .object({
    id: z.string(),
    desiredStatus: z.enum(['RUNNING', 'EXITED']),
    image: z.string(),
    env: z.record(z.string(), z.string()).describe('Always empty: it holds the worker’s token.'),
    endpointId: z.string(),
    aiApiId: z.string(),
    slsVersion: z.int(),
    templateId: z.string(),
    machineId: z.string(),
    gpu: z.object({ id: z.string(), count: z.int(), displayName: z.string() }).optional(),
    vcpuCount: z.number().optional(),
    memoryInGb: z.number().optional(),
    lastStartedAt: DateTime.optional(),
    interruptible: z.boolean(),
    locked: z.boolean(),
  })
  .meta({ id: 'V1Worker' })
export type V1WorkerView = z.infer<typeof V1WorkerView>

export const V1EndpointView = z
  .object({
    id: z.string(),
    name: z.string(),
    templateId: z.string(),
    userId: z.string(),
    version: z.int(),
    createdAt: DateTime,
    computeType: z.enum(['GPU', 'CPU']),
    gpuTypeIds: z.array(z.string()),
    gpuCount: z.int(),
    instanceIds: z.array(z.string()),
    allowedCudaVersions: z.array(z.string()),
    minCudaVersion: z.string().optional(),
    dataCenterIds: z.array(z.string()),
    networkVolumeId: z.string().optional(),
    networkVolumeIds: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    workersMin: z.int(),
    workersMax: z.int(),
    idleTimeout: z.int().describe('Seconds.'),
    scalerType: z.enum(['QUEUE_DELAY', 'REQUEST_COUNT']),
    scalerValue: z.int(),
    executionTimeoutMs: z.int(),
    template: V1TemplateView.optional(),
    workers: z.array(V1WorkerView).optional(),
  })
  .meta({ id: 'V1Endpoint' })
export type V1EndpointView = z.infer<typeof V1EndpointView>
