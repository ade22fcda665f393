// For tests: records of endpoints and templates.
import type { Endpoint, Template } from '@runyard/schema'

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

export function template(id: string, image = 'image'): Template {
  return {
    id,
    name: `name of ${id}`,
    ownerId: 'owner',
    container: { image, args: '', env: {}, diskGb: null, ports: [], registryId: null },
    notes: {
      isServerless: true,
      isPublic: false,
      category: 'NVIDIA',
      readme: '',
      volumeGb: 0,
      volumeMountPath: '',
      startSsh: true,
      startJupyter: true,
      allowedCudaVersions: [],
    },
    createdAt: 1,
    updatedAt: 1,
  }
}
