// The report of `nvidia-smi -q -x` in plain units. `null` means that the driver did not report the value (N/A), never zero.

export interface NvidiaProcess {
  readonly pid: number
  readonly name: string | null
  /** `C` compute, `G` graphics, `M` MPS, or a mix such as `C+G`. */
  readonly type: string | null
  readonly usedMemoryBytes: number | null
}

export interface MigDevice {
  readonly index: number | null
  readonly gpuInstanceId: number | null
  readonly computeInstanceId: number | null
  readonly memoryTotalBytes: number | null
  readonly memoryUsedBytes: number | null
}

export interface NvidiaGpu {
  /** Null only for a GPU that fell off the bus and reports nothing. */
  readonly uuid: string | null
  readonly pciBusId: string | null
  readonly productName: string | null
  readonly memoryTotalBytes: number | null
  readonly memoryUsedBytes: number | null
  readonly temperatureC: number | null
  readonly gpuUtilizationPercent: number | null
  readonly migEnabled: boolean
  readonly migDevices: readonly MigDevice[]
  /** Uncorrectable ECC errors since the driver was loaded; null if ECC is off or absent. */
  readonly volatileUncorrectableEccErrors: number | null
  /** Pages retired for double-bit errors (before Ampere); null if not reported. */
  readonly doubleBitRetiredPages: number | null
  readonly processes: readonly NvidiaProcess[]
  /** One sentence per fault that forbids assigning work to the GPU, worst first; empty = no fault found. */
  readonly faults: readonly string[]
}

export interface NvidiaSmiReport {
  readonly kind: 'report'
  readonly driverVersion: string | null
  /** The highest CUDA version that the driver supports, e.g. `12.4`. */
  readonly cudaVersion: string | null
  readonly gpus: readonly NvidiaGpu[]
  /** Lines that nvidia-smi printed around the XML, e.g. "Unable to determine the device handle for GPU…". */
  readonly notes: readonly string[]
}

export interface NvidiaSmiFailure {
  readonly kind: 'failure'
  readonly message: string
}

export type NvidiaSmiResult = NvidiaSmiReport | NvidiaSmiFailure
