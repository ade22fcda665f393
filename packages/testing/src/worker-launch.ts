// A worker to launch in tests of hosts.
import type { WorkerLaunch } from '@runyard/schema'

/** The default image without agent, command, GPUs or limits, changed by `overrides`. */
export function workerLaunch(overrides: Partial<WorkerLaunch> = {}): WorkerLaunch {
  return {
    workerId: 'worker001',
    endpointId: 'ep',
    specHash: 'spec0',
    endpointVersion: 1,
    image: 'runyard/worker:latest',
    withAgent: false,
    entrypoint: [],
    args: [],
    env: {},
    gpus: [],
    memoryBytes: undefined,
    cpus: undefined,
    pidsLimit: 64,
    runtime: undefined,
    caBundle: undefined,
    ...overrides,
  }
}
