// REST v2's shapes of an endpoint, its workers and its logs (management §3.2–3.4). Bodies are strict: an unknown member is a 422 that
// names it. What these shapes let in, the model judges.
import { ENDPOINT_TYPES, EndpointEvent, FLASHBOOT_MODES, WorkerStatus } from '@runyard/schema'
import { z } from 'zod'

const ScalingShape = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('QUEUE_DELAY'), queueDelay: z.number().min(0.5) }),
  z.strictObject({ type: z.literal('REQUEST_COUNT'), requestCount: z.int().min(1) }),
])

/** Terraform sends a boolean (management §3.2). */
const FlashbootShape = z.union([z.enum(FLASHBOOT_MODES), z.boolean()])

const WorkersBody = z.strictObject({
  min: z.int().min(0).optional(),
  max: z.int().min(0).optional(),
  idleTimeout: z.int().min(1).max(3600).optional(),
})

const GpuBody = z.strictObject({
  pools: z.array(z.string()).min(1).optional(),
  excludedTypes: z.array(z.string()).optional(),
  count: z.int().min(1).optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
  minCudaVersion: z.string().optional(),
})

const CpuBody = z
  .array(
    z.strictObject({
      id: z.string().regex(/^cpu\d[a-z]$/u, 'must be a CPU flavor such as cpu3g'),
      vcpuCount: z
        .int()
        .min(2)
        .refine((count) => Number.isInteger(Math.log2(count)), 'must be a power of 2'),
      /** GB; ours, so that a reply can be sent back. Default: what the flavor has. */
      memory: z.int().min(1).optional(),
    }),
  )
  .min(1)

/** An empty text detaches, as null does (management §2.2). */
export const RegistryReference = z
  .string()
  .nullable()
  .transform((id) => (id === '' ? null : id))

const ContainerMembers = {
  image: z.string().min(1).optional(),
  args: z.string().optional(),
  disk: z.int().min(1).optional(),
  ports: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  registry: RegistryReference.optional(),
  templateId: z.string().min(1).optional(),
  workers: WorkersBody.optional(),
  dataCenterIds: z.array(z.string()).optional(),
  networkVolumes: z.array(z.string()).optional(),
  timeout: z.int().min(0).optional(),
  flashboot: FlashbootShape.optional(),
}

export const CreateEndpointBody = z.strictObject({
  name: z.string().min(1),
  type: z.enum(ENDPOINT_TYPES),
  scaling: ScalingShape,
  gpu: GpuBody.required({ pools: true }).optional(),
  cpu: CpuBody.optional(),
  ...ContainerMembers,
})
export type CreateEndpointBody = z.infer<typeof CreateEndpointBody>

export const UpdateEndpointBody = z.strictObject({
  name: z.string().min(1).optional(),
  scaling: ScalingShape.optional(),
  gpu: GpuBody.optional(),
  cpu: CpuBody.optional(),
  ...ContainerMembers,
})
export type UpdateEndpointBody = z.infer<typeof UpdateEndpointBody>

export const EndpointShape = z.object({
  id: z.string(),
  name: z.string(),
  type: z.enum(ENDPOINT_TYPES),
  createdAt: z.string(),
  image: z.string(),
  args: z.string(),
  disk: z.int().nullable(),
  ports: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  registry: z.string().nullable(),
  gpu: z
    .object({
      pools: z.array(z.string()),
      excludedTypes: z.array(z.string()),
      count: z.int(),
      allowedCudaVersions: z.array(z.string()),
      minCudaVersion: z.string().optional(),
    })
    .nullable(),
  cpu: z.array(z.object({ id: z.string(), vcpuCount: z.int(), memory: z.number() })).nullable(),
  workers: z.object({ min: z.int(), max: z.int(), idleTimeout: z.number().optional() }),
  scaling: z.discriminatedUnion('type', [
    z.object({ type: z.literal('QUEUE_DELAY'), queueDelay: z.number() }),
    z.object({ type: z.literal('REQUEST_COUNT'), requestCount: z.number() }),
  ]),
  dataCenterIds: z.array(z.string()),
  networkVolumes: z.array(z.string()),
  timeout: z.int(),
  flashboot: z.enum(FLASHBOOT_MODES),
  requestUrls: z.record(z.string(), z.string()),
})
export type EndpointShape = z.infer<typeof EndpointShape>

/** One full page always; two lists of the 2.0 SDK fail without the object (sdk2-api §0.6). */
export const Pagination = z.object({ hasNextPage: z.boolean(), nextCursor: z.string().nullable() })
export const ONE_PAGE: z.infer<typeof Pagination> = { hasNextPage: false, nextCursor: null }

export const EndpointListShape = z.object({ endpoints: z.array(EndpointShape), pagination: Pagination })

export const WorkerShape = z.object({
  id: z.string(),
  status: WorkerStatus,
  isStale: z.boolean(),
  version: z.int().nullable(),
  gpuCount: z.int(),
  image: z.string().nullable(),
  uptimeSeconds: z.int().nullable(),
  gpuTypeId: z.string().nullable(),
  dataCenterId: z.string().nullable(),
  startedAt: z.string().nullable(),
  /** Not Runpod's, and only of workers that are wanted but not there: why, in one sentence, and when a failed start is tried again. */
  message: z.string().optional(),
  nextTryAt: z.string().optional(),
})
export type WorkerShape = z.infer<typeof WorkerShape>

export const WorkerListShape = z.object({
  workers: z.array(WorkerShape),
  /** The parts sum to `total`; `workers` has at most 100 rows of each kind of worker without a place. */
  summary: z.object({
    running: z.int(),
    idle: z.int(),
    initializing: z.int(),
    throttled: z.int(),
    unhealthy: z.int(),
    total: z.int(),
  }),
  endpointVersion: z.int(),
  pagination: Pagination,
})
export type WorkerListShape = z.infer<typeof WorkerListShape>

export const EventListShape = z.object({ events: z.array(EndpointEvent), pagination: Pagination })

/** RFC 9457. */
export const ProblemShape = z.object({
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ location: z.string(), message: z.string() })).optional(),
})
export type ProblemShape = z.infer<typeof ProblemShape>
