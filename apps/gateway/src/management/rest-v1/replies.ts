// Endpoints and workers in REST v1's words (management §2.1). Members that have no value are left out; whole numbers stay whole, since Go
// clients refuse others (management §4.4). A worker's environment is never shown: it holds its token.
import { defined, isDraining } from '@runyard/core'
import type { Endpoint, Template, WorkerRecord } from '@runyard/schema'
import type { V1EndpointView, V1WorkerView } from '@runyard/schema/api'
import { CPU, GPU, gpuFields, PLACEMENT, SETTINGS, WORKERS } from '../endpoint-fields.ts'
import { templateReply } from './templates.ts'

export interface EndpointFacts {
  readonly endpoint: Endpoint
  /** Undefined: not asked for. */
  readonly template: Template | undefined
  readonly workers: readonly WorkerRecord[] | undefined
}

export function endpointReply({ endpoint, template, workers }: EndpointFacts): V1EndpointView {
  const { settings, spec } = endpoint
  return defined({
    id: endpoint.id,
    name: endpoint.name,
    templateId: templateIdOf(endpoint),
    userId: endpoint.ownerId,
    version: endpoint.version,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    computeType: spec.cpu === null ? ('GPU' as const) : ('CPU' as const),
    ...GPU.v1.write(gpuFields(spec.gpu)),
    ...CPU.v1.write(spec.cpu ?? { instanceIds: [] }),
    ...PLACEMENT.v1.write(spec),
    env: spec.env,
    ...WORKERS.v1.write(settings),
    ...SETTINGS.v1.write(settings),
    template: template === undefined ? undefined : templateReply(template),
    workers: workers?.map((worker) => workerReply(worker, endpoint)),
  })
}

export function templateIdOf({ sharedTemplateId, templateId }: Endpoint): string {
  return sharedTemplateId ?? templateId
}

function workerReply(worker: WorkerRecord, endpoint: Endpoint): V1WorkerView {
  const [gpu] = worker.gpus
  return defined({
    id: worker.id,
    desiredStatus: isDraining(worker) ? ('EXITED' as const) : ('RUNNING' as const),
    image: worker.image,
    env: {},
    endpointId: endpoint.id,
    aiApiId: endpoint.id,
    slsVersion: worker.endpointVersion,
    templateId: templateIdOf(endpoint),
    machineId: worker.hostId,
    gpu: gpu === undefined ? undefined : { id: gpu.name, count: worker.gpus.length, displayName: gpu.name },
    vcpuCount: worker.cpus,
    memoryInGb: worker.memoryBytes === undefined ? undefined : Math.round(worker.memoryBytes / 1e9),
    lastStartedAt: worker.containerStartedAt === undefined ? undefined : new Date(worker.containerStartedAt).toISOString(),
    interruptible: false,
    locked: false,
  })
}
