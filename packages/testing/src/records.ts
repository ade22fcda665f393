// Short constructors for the records of endpoints and workers.
import type { Endpoint, WorkerRecord } from '@runyard/schema'

export interface EndpointChange extends Partial<Omit<Endpoint, 'id' | 'spec' | 'settings'>> {
  readonly id?: Endpoint['id']
  readonly spec?: Partial<Endpoint['spec']>
  readonly settings?: Partial<Endpoint['settings']>
}

/** By default without a GPU, with 0 to 3 workers and the image `runpod/flash`. */
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

/** By default a worker of `ep-1` without a GPU, on the host `local`, whose container has not started. */
export function workerRecord(id: string, fields: Partial<WorkerRecord> = {}): WorkerRecord {
  return {
    id,
    endpointId: 'ep-1',
    hostId: 'local',
    specHash: 'hash',
    endpointVersion: 1,
    image: 'image',
    gpus: [],
    startReason: 'first_job',
    createdAt: 1000,
    ...fields,
  }
}
