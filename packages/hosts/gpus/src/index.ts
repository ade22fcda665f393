export { createGpuWatch } from './gpu-watch.ts'
export { readGpuInventory, runLocally } from './read-gpus.ts'
export type { GpuInventory, RunCommand } from './read-gpus.ts'
