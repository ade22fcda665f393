// An endpoint's record in a few words.
import type { Endpoint } from '@runyard/schema'

export interface EndpointChange extends Partial<Omit<Endpoint, 'id' | 'spec' | 'settings'>> {
  readonly id?: Endpoint['id']
  readonly spec?: Partial<Endpoint['spec']>
  readonly settings?: Partial<Endpoint['settings']>
}

/** One that asks for no GPU, scales from none to three and is made of `runpod/flash`, but for what is named. */
export function endpointRecord(id: string, { spec, settings, ...fields }: EndpointChange = {}): Endpoint {
  return {
    id: id as Endpoint['id'],
    name: id,
    ownerId: 'owner',
    type: 'QUEUE',
    spec: {
      image: 'runpod/flash:py3.12-latest',
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
      ...spec,
    },
    settings: {
      workersMin: 0,
      workersMax: 3,
      idleTimeoutMs: 5000,
      scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
      executionTimeoutMs: 0,
      ...settings,
    },
    version: 1,
    specHash: 'hash',
    templateId: `template-of-${id}`,
    templateName: `template of ${id}`,
    flashEnvironmentId: null,
    createdAt: 1,
    updatedAt: 1,
    echo: {},
    ...fields,
  }
}
