export { processHostId } from './host-id.ts'
export { endOrphans } from './orphans.ts'
export { createProcessHost } from './process-host.ts'
export type { ProcessHostOptions } from './process-host.ts'
