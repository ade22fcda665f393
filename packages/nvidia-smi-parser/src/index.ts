export { parseNvidiaSmi } from './parse.ts'
export type { MigDevice, NvidiaGpu, NvidiaProcess, NvidiaSmiFailure, NvidiaSmiReport, NvidiaSmiResult } from './report.ts'
