export { createProcessHost } from './process-host/process-host.ts'
export type { ProcessHostOptions } from './process-host/process-host.ts'
export { openScaler } from './scaler.ts'
export type { Scaler, ScalerOptions } from './scaler.ts'
