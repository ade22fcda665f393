// An endpoint in GraphQL's words. What the client sent as a scalar comes back as it was sent: the SDK compares
// and would save again on every call (flash-api §5.4). Members that mean nothing here are null.
import { formatGpuIds } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'
import { SETTINGS } from './endpoint-change.ts'
import { environmentReply } from './template-change.ts'

export interface EndpointReply extends Record<string, unknown> {
  /** What it was made of; not in the schema. */
  readonly source: Endpoint
}

export function endpointReply(endpoint: Endpoint): EndpointReply {
  const { settings } = endpoint
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LOAD_BALANCER' ? 'LB' : 'QB',
    version: endpoint.version,
    templateId: endpoint.sharedTemplateId ?? endpoint.templateId,
    userId: endpoint.ownerId,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    flashEnvironmentId: endpoint.flashEnvironmentId,
    scalerType: settings.scaling.type,
    scalerValue: settings.scaling.type === 'QUEUE_DELAY' ? settings.scaling.queueDelay : settings.scaling.requestCount,
    ...SETTINGS.write(settings),
    workersStandby: 0,
    modelReferences: [],
    env: environmentReply(endpoint.spec.env),
    ...specReply(endpoint),
    ...endpoint.echo,
    source: endpoint,
  }
}

function specReply({ spec }: Endpoint): Record<string, unknown> {
  const [firstVolume = null] = spec.networkVolumeIds
  return {
    computeType: spec.cpu === null ? 'GPU' : 'CPU',
    instanceIds: spec.cpu?.instanceIds ?? null,
    ...gpuReply(spec.gpu),
    locations: spec.dataCenterIds.length === 0 ? null : spec.dataCenterIds.join(','),
    networkVolumeId: firstVolume,
    networkVolumeIds: spec.networkVolumeIds.map((networkVolumeId) => ({ networkVolumeId, dataCenterId: null })),
    networkVolume: firstVolume === null ? null : { id: firstVolume, dataCenterId: null },
    workersPFBTarget: 0,
    flashBootType: spec.flashboot === 'OFF' ? null : spec.flashboot,
  }
}

function gpuReply(gpu: Endpoint['spec']['gpu']): Record<string, unknown> {
  if (gpu === null) return { gpuIds: null, gpuCount: null, allowedCudaVersions: '', minCudaVersion: null }
  return {
    gpuIds: formatGpuIds(gpu),
    gpuCount: gpu.count,
    allowedCudaVersions: gpu.allowedCudaVersions.join(','),
    minCudaVersion: gpu.minCudaVersion ?? null,
  }
}
