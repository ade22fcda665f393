// A worker for tests on the real engine: a container of the default image, without agent, GPUs or limits.
import { fileURLToPath } from 'node:url'
import type { WorkerLaunch } from '@runyard/schema'
import { openEngine } from '../engine.ts'
import { WORKER_IMAGE } from '../images.ts'
import { ensureWorkerImage } from '../worker-image.ts'

const dockerfile = fileURLToPath(new URL('../../../../../docker/worker.Dockerfile', import.meta.url))

export async function ensureDefaultImage(): Promise<void> {
  await ensureWorkerImage({ engine: openEngine({ kind: 'unix', socket: '/var/run/docker.sock' }), dockerfile, onProgress: () => undefined })
}

export const baseLaunch: WorkerLaunch = {
  workerId: 'promised001',
  endpointId: 'ep',
  specHash: 'spec0',
  endpointVersion: 1,
  image: WORKER_IMAGE,
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
}
