export * from './redis.ts'
export { describeHostConformance } from './host-conformance.ts'
export type { HostAbilities, HostFixture } from './host-conformance.ts'
