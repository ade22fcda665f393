// The default worker image on this machine's engine, built once for tests that start containers.
import { fileURLToPath } from 'node:url'
import { openEngine } from '../engine.ts'
import { ensureWorkerImage } from '../worker-image.ts'

export const DOCKERFILE = fileURLToPath(new URL('../../../../../docker/worker.Dockerfile', import.meta.url))

export async function ensureDefaultImage(): Promise<void> {
  const engine = openEngine({ kind: 'unix', socket: '/var/run/docker.sock' })
  await ensureWorkerImage({ engine, dockerfile: DOCKERFILE, onProgress: () => undefined })
}
