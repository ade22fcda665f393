export { parseNvidiaSmi } from './parse.ts'
export { createReportStream } from './stream.ts'
export type { ReportStream } from './stream.ts'
export { parseGpuList, toModelName, withMigNames } from './names.ts'
export type { ListedGpu, ListedMigDevice } from './names.ts'
export { linkScore, LINK_KINDS, parseTopology } from './topology.ts'
export type { GpuLink, LinkKind } from './topology.ts'
export { parseXid, toPciAddress } from './kernel.ts'
export type { XidClass, XidEvent } from './kernel.ts'
export { FAULT_KINDS, isFit } from './report.ts'
export type {
  FaultKind,
  MigDevice,
  NvidiaFabric,
  NvidiaFault,
  NvidiaGpu,
  NvidiaProcess,
  NvidiaSmiFailure,
  NvidiaSmiReport,
  NvidiaSmiResult,
} from './report.ts'
