// REST v2's shapes of an endpoint (management §3.2). Bodies are strict: an unknown member is a 422 that names it. What these shapes let in,
// the management model judges.
import { z } from 'zod'
import { ENDPOINT_RANGES as RANGES } from '../bounds.ts'
import { Priority, RequestsPerSecond } from '../endpoint.ts'
import { ENDPOINT_TYPES, FLASHBOOT_MODES } from '../wire-words.ts'
import { DateTime, MOST_WORKERS, Pagination, RegistryReference, whole } from './shared.ts'

const ScalingBody = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('QUEUE_DELAY'), queueDelay: z.number().min(RANGES.queueDelayS.min).describe('Seconds.') }),
  z.strictObject({ type: z.literal('REQUEST_COUNT'), requestCount: whole(1, RANGES.requestCount.max).describe('Jobs per worker.') }),
])

/** Terraform sends a boolean (management §3.2). */
const FlashbootBody = z.union([z.enum(FLASHBOOT_MODES), z.boolean()])

const WorkersBody = z.strictObject({
  min: whole(0, MOST_WORKERS).optional(),
  max: whole(0, MOST_WORKERS).optional(),
  idleTimeout: whole(RANGES.idleTimeoutS.min, RANGES.idleTimeoutS.max)
    .max(RANGES.idleTimeoutS.max)
    .optional()
    .describe('Seconds that a worker without a job stays.'),
})

const GpuBody = z.strictObject({
  pools: z.array(z.string()).min(1).optional(),
  excludedTypes: z.array(z.string()).optional(),
  count: whole(1, RANGES.gpuCount.max).optional(),
  allowedCudaVersions: z.array(z.string()).optional(),
  minCudaVersion: z.string().nullable().optional().describe('null or an empty text: no floor.'),
})

export const CpuSize = z.strictObject({
  id: z.string().regex(/^cpu\d[a-z]$/u, 'must be a CPU flavor such as cpu3g'),
  vcpuCount: z
    .int()
    .min(2)
    .refine((count) => Number.isInteger(Math.log2(count)), 'must be a power of 2'),
  /** Ours, so that a reply can be sent back. */
  memory: z.int().min(1).optional().describe('GB; what the flavor has where it is absent.'),
})
export type CpuSize = z.infer<typeof CpuSize>

const ContainerMembers = {
  image: z.string().min(1).optional(),
  args: z.string().optional().describe('The start command, in shell words.'),
  disk: whole(1, RANGES.diskGb.max).optional().describe('GB.'),
  ports: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  registry: RegistryReference.optional(),
  templateId: z.string().min(1).optional(),
  workers: WorkersBody.optional(),
  dataCenterIds: z.array(z.string()).optional(),
  networkVolumes: z.array(z.string()).optional(),
  timeout: whole(0, RANGES.executionTimeoutS.max * 1000)
    .optional()
    .describe('Longest execution of a job in milliseconds, from 5 seconds to 7 days; 0: no limit.'),
  flashboot: FlashbootBody.optional(),
  priority: Priority.optional().describe('Weight where endpoints share GPUs; 1 if absent.'),
  requestsPerSecond: RequestsPerSecond.optional().describe(
    'Of a load-balanced endpoint: a worker for so many requests per second, where scaling asks for fewer; 0: none.',
  ),
}

/** Members that Runpod's Terraform provider sends with a change, from an older dialect (production §2.5). */
const TerraformMembers = {
  computeType: z.enum(['GPU', 'CPU']).optional().describe('Must be what the endpoint is.'),
  cloudType: z.string().optional().describe('Ignored: the hosts are yours.'),
  containerDiskInGb: whole(1, RANGES.diskGb.max).optional().describe('`disk`, where that is absent.'),
  vcpuCount: z.int().min(1).optional().describe('Ignored on a GPU endpoint; of a CPU endpoint the size of every flavor that it has.'),
}

export const CreateEndpointBody = z
  .strictObject({
    name: z.string().min(1),
    type: z.enum(ENDPOINT_TYPES, 'must be QUEUE or LOAD_BALANCER'),
    scaling: ScalingBody,
    gpu: GpuBody.required({ pools: true }).optional(),
    cpu: z.array(CpuSize).min(1).optional(),
    ...ContainerMembers,
  })
  .meta({ id: 'CreateEndpointBody', description: 'A whole endpoint, with exactly one of `gpu` and `cpu`.' })
export type CreateEndpointBody = z.infer<typeof CreateEndpointBody>

export const UpdateEndpointBody = z
  .strictObject({
    name: z.string().min(1).optional(),
    scaling: ScalingBody.optional(),
    gpu: GpuBody.optional(),
    cpu: z.array(CpuSize).min(1).optional(),
    ...ContainerMembers,
    ...TerraformMembers,
  })
  .meta({ id: 'UpdateEndpointBody', description: 'What is to change; what is absent stays.' })
export type UpdateEndpointBody = z.infer<typeof UpdateEndpointBody>

/** What programs send as either of the two. The server names what is missing or wrong. */
export type EndpointBody = z.input<typeof UpdateEndpointBody> & Partial<Pick<CreateEndpointBody, 'type'>>

export const EndpointView = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.enum(ENDPOINT_TYPES),
    createdAt: DateTime,
    image: z.string(),
    args: z.string(),
    disk: z.int().optional().describe('GB; absent: no limit of its own.'),
    ports: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    registry: z.string().nullable().describe('Id of registry credentials.'),
    gpu: z
      .object({
        pools: z.array(z.string()),
        excludedTypes: z.array(z.string()),
        count: z.int(),
        allowedCudaVersions: z.array(z.string()),
        minCudaVersion: z.string().nullable().describe('null: no floor.'),
      })
      .nullable(),
    cpu: z.array(z.object({ id: z.string(), vcpuCount: z.int(), memory: z.number().describe('GB.') })).optional(),
    workers: z.object({
      min: z.int(),
      max: z.int(),
      idleTimeout: z.number().optional().describe('Seconds; absent where it does not apply.'),
    }),
    scaling: z.discriminatedUnion('type', [
      z.object({ type: z.literal('QUEUE_DELAY'), queueDelay: z.number().describe('Seconds.') }),
      z.object({ type: z.literal('REQUEST_COUNT'), requestCount: z.number() }),
    ]),
    dataCenterIds: z.array(z.string()),
    networkVolumes: z.array(z.string()),
    timeout: z.int().describe('Milliseconds; 0: no limit.'),
    flashboot: z.enum(FLASHBOOT_MODES),
    priority: Priority.optional().describe('Weight where endpoints share GPUs; absent: 1.'),
    requestsPerSecond: RequestsPerSecond.optional().describe('A worker for so many requests per second; absent or 0: none.'),
    requestUrls: z.record(z.string(), z.string()).describe('Where its jobs are submitted and read, by operation.'),
  })
  .meta({ id: 'Endpoint', description: 'An endpoint as it is.' })
export type EndpointView = z.infer<typeof EndpointView>

export const EndpointListView = z.object({ endpoints: z.array(EndpointView), pagination: Pagination }).meta({ id: 'EndpointList' })
export type EndpointListView = z.infer<typeof EndpointListView>
