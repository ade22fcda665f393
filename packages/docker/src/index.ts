export { createDockerHost } from './docker-host.ts'
export type { DockerHostOptions } from './docker-host.ts'
export { readGpuInventory } from './host-gpus.ts'
export type { GpuInventory, RunCommand } from './host-gpus.ts'
