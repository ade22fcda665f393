// For tests that run the gateway in their own process.
export { openGateway, type Gateway } from './open-gateway.ts'
export { buildPublicApp } from './public-app.ts'
export { buildWorkerPlaneApp } from './worker-plane-app.ts'
export type { GatewayDeps } from './parts/deps.ts'
