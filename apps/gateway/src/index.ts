// For tests that run the gateway in their own process.
export { openGateway, type Gateway } from './open-gateway.ts'
export { buildPublicApp, buildWorkerPlaneApp } from './listeners.ts'
export type { GatewayDeps } from './parts/deps.ts'
