export { openScaler } from './scaler.ts'
export type { Scaler, ScalerOptions } from './scaler.ts'
