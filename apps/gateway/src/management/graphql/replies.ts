// An endpoint in GraphQL's words. What the client sent as a scalar comes back as it was sent: the SDK compares
// and would save again on every call (flash-api §5.4). Members that mean nothing here are null.
import type { Endpoint } from '@runyard/schema'
import { CPU, GPU, gpuFields, PLACEMENT, SETTINGS, WORKERS } from '../endpoint-fields.ts'
import { environmentReply } from '../template-fields.ts'

export interface EndpointReply extends Record<string, unknown> {
  /** What it was made of; not in the schema. */
  readonly source: Endpoint
}

export function endpointReply(endpoint: Endpoint): EndpointReply {
  const { spec, settings } = endpoint
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LOAD_BALANCER' ? 'LB' : 'QB',
    version: endpoint.version,
    templateId: endpoint.sharedTemplateId ?? endpoint.templateId,
    userId: endpoint.ownerId,
    createdAt: new Date(endpoint.createdAt).toISOString(),
    flashEnvironmentId: endpoint.flashEnvironmentId,
    computeType: spec.cpu === null ? 'GPU' : 'CPU',
    ...GPU.graphql.write(gpuFields(spec.gpu)),
    ...(spec.cpu === null ? { instanceIds: null } : CPU.graphql.write(spec.cpu)),
    ...PLACEMENT.graphql.write(spec),
    ...WORKERS.graphql.write(settings),
    ...SETTINGS.graphql.write(settings),
    workersStandby: 0,
    workersPFBTarget: 0,
    modelReferences: [],
    env: environmentReply(spec.env),
    ...endpoint.echo,
    source: endpoint,
  }
}
