// For tests: an endpoint record.
import type { Endpoint } from '@runyard/schema'

export function endpoint(id: string, fields: Partial<Endpoint> = {}): Endpoint {
  return {
    id: id as Endpoint['id'],
    name: `name of ${id}`,
    ownerId: 'owner',
    type: 'QUEUE',
    spec: {
      image: 'image',
      args: '',
      env: {},
      diskGb: null,
      ports: [],
      registryId: null,
      gpu: null,
      cpu: null,
      networkVolumeIds: [],
      dataCenterIds: [],
      flashboot: 'OFF',
    },
    settings: { workersMin: 0, workersMax: 3, idleTimeoutMs: 5000, scaling: { type: 'QUEUE_DELAY', queueDelay: 4 }, executionTimeoutMs: 0 },
    version: 1,
    specHash: 'hash',
    templateId: `template-of-${id}`,
    templateName: 'template',
    flashEnvironmentId: null,
    createdAt: 1,
    updatedAt: 1,
    echo: {},
    ...fields,
  }
}
