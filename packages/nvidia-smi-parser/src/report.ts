// What `nvidia-smi -q -x` says, in plain units. `null` means that the driver did not say (N/A, or an older layout), never zero.

/** What a fault asks for, worst first. Policy (drain, kill, quarantine) is the caller's. */
export const FAULT_KINDS = [
  /** The card does not answer the driver. Usually only a reboot brings it back. */
  'lost',
  /** The driver asks for a reboot of the machine. */
  'reboot',
  /** The hardware is worn out. */
  'replace',
  /** The card fails until it is reset (`nvidia-smi -r`). */
  'reset',
  /** The card works. Give it no new work and reset it when it is free. */
  'drain',
  /** The card works alone and fails in work of several cards (NVLink fabric). */
  'fabric',
  /** The card works, but the hardware slows it down (heat, power). */
  'slow',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface NvidiaFault {
  readonly kind: FaultKind
  /** One sentence for people. */
  readonly message: string
  /** The field that shows it, e.g. `remapped_rows/remapped_row_pending`. */
  readonly sign: string
}

export interface NvidiaProcess {
  readonly pid: number
  readonly name: string | null
  /** `C` compute, `G` graphics, `M` MPS, or a mix such as `C+G`. */
  readonly type: string | null
  readonly usedMemoryBytes: number | null
  /** The MIG slice that the process uses; null without MIG. */
  readonly gpuInstanceId: number | null
  readonly computeInstanceId: number | null
}

export interface MigDevice {
  /** Position within the card; joins with `nvidia-smi -L`. */
  readonly index: number | null
  readonly gpuInstanceId: number | null
  readonly computeInstanceId: number | null
  readonly multiprocessors: number | null
  /** Compute instances of one GPU instance share these two numbers. */
  readonly memoryTotalBytes: number | null
  readonly memoryUsedBytes: number | null
  readonly volatileUncorrectableEccErrors: number | null
  /** `MIG-…`, from `nvidia-smi -L` alone (`withMigNames`); null in a report. */
  readonly uuid: string | null
  /** `3g.40gb`, from `nvidia-smi -L` alone; null in a report. */
  readonly profile: string | null
}

/** The NVLink fabric of HGX and NVL machines. Cards with the same cluster and clique are one NVLink domain. */
export interface NvidiaFabric {
  readonly state: string | null
  readonly status: string | null
  readonly health: string | null
  readonly clusterUuid: string | null
  readonly cliqueId: string | null
}

export interface NvidiaGpu {
  /** Position in the report, as `nvidia-smi topo -m` and `-L` number the cards. Not the minor number. */
  readonly index: number
  readonly minorNumber: number | null
  /** Null only for a card that fell off the bus and answers nothing. */
  readonly uuid: string | null
  readonly pciBusId: string | null
  /** As printed. Drivers before 470 leave out the leading `NVIDIA `: compare with `toModelName`. */
  readonly productName: string | null
  readonly memoryTotalBytes: number | null
  /** What the driver keeps for itself; not part of `used` since driver 510. */
  readonly memoryReservedBytes: number | null
  readonly memoryUsedBytes: number | null
  /** The card shares the memory of the machine and has no numbers of its own (GB10). */
  readonly unifiedMemory: boolean
  /** `HMM`, `ATS`: with `ATS` (Grace) memory stays used after a process ended. */
  readonly addressingMode: string | null
  readonly temperatureC: number | null
  readonly powerDrawW: number | null
  readonly powerLimitW: number | null
  readonly smClockMhz: number | null
  readonly gpuUtilizationPercent: number | null
  readonly memoryUtilizationPercent: number | null
  readonly performanceState: string | null
  /** `Default`, `Prohibited`, `Exclusive_Process`. */
  readonly computeMode: string | null
  /** Off: the driver forgets volatile counters when the last client leaves, and each call of nvidia-smi takes seconds. */
  readonly persistenceMode: boolean | null
  /** `None`, `Pass-Through`, `Host VGPU` (the memory belongs to virtual machines), `VGPU`. */
  readonly virtualization: string | null
  /** The driver's own verdict; null for None, N/A and older drivers. */
  readonly recoveryAction: string | null
  readonly fabric: NvidiaFabric | null
  readonly migEnabled: boolean
  /** The mode that the next reset brings; null where MIG does not exist. */
  readonly migPendingEnabled: boolean | null
  readonly migDevices: readonly MigDevice[]
  /** Uncorrectable ECC errors since the driver was loaded; null where ECC is off or absent. */
  readonly volatileUncorrectableEccErrors: number | null
  /** Pages retired for double-bit errors (before Ampere); null where not kept. */
  readonly doubleBitRetiredPages: number | null
  /** Empty also where the processes are not visible, as in a container without the host's pid namespace. */
  readonly processes: readonly NvidiaProcess[]
  /** Worst first; empty = no sign of a fault. */
  readonly faults: readonly NvidiaFault[]
}

export interface NvidiaSmiReport {
  readonly kind: 'report'
  readonly driverVersion: string | null
  /** The highest CUDA version that the driver supports, e.g. `12.4`; null where nvidia-smi found no libcuda. */
  readonly cudaVersion: string | null
  /** How many cards the driver has; may be more than answered. */
  readonly attachedGpus: number | null
  readonly gpus: readonly NvidiaGpu[]
  /** Faults of the machine: cards that the report leaves out, an error in place of cards. */
  readonly faults: readonly NvidiaFault[]
  /** Uuids that several cards carry (cloned virtual machines): attaching by uuid is ambiguous there. */
  readonly duplicateUuids: readonly string[]
  /** Lines that nvidia-smi printed around the XML, e.g. "Unable to determine the device handle for GPU…". */
  readonly notes: readonly string[]
}

export interface NvidiaSmiFailure {
  readonly kind: 'failure'
  readonly message: string
}

export type NvidiaSmiResult = NvidiaSmiReport | NvidiaSmiFailure

/** Whether a card can be given work of its own: none of its faults, or only ones that slow it down or concern work of several cards. */
export const isFit = (gpu: NvidiaGpu): boolean => gpu.faults.every(({ kind }) => kind === 'slow' || kind === 'fabric')
