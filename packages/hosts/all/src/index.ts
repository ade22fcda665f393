export { findDefaultHost } from './default-host.ts'
export { openHost } from './open-host.ts'
export type { HostSettings } from './open-host.ts'
export { openHostSource, staticSource } from './host-source.ts'
