// Hosts and what they offer. The inventory contains only facts that were read from the host.
import { z } from 'zod'
import { CardFault, type CardUse } from './card.ts'

export const HOST_KINDS = ['docker', 'process'] as const
export type HostKind = (typeof HOST_KINDS)[number]

export const Gpu = z.object({
  uuid: z.string(),
  /** The product name as nvidia-smi prints it, which equals Runpod's GPU type id (management §0.1.10). */
  name: z.string(),
  /** Its GPU pool, null for none; absent in what a driver reads. */
  pool: z.string().nullable().optional(),
  memoryBytes: z.number(),
  simulated: z.boolean(),
  /** False while nvidia-smi reports a fault that forbids its use; then `fault` says which. */
  healthy: z.boolean(),
  fault: z.string().optional(),
  /** Absent though it is not healthy: nothing is known about it now. A healthy one may be slow, or fit for work of its own only (fabric). */
  faultKind: CardFault.optional(),
  /** A MIG slice: the uuid of its card. */
  parent: z.string().optional(),
  /** The latest line of the kernel about a fault of it, for a minute. */
  event: z.object({ at: z.number(), kind: CardFault, message: z.string() }).optional(),
  /** The latest line of the kernel about it or about a program on it, for an hour; none about what follows a kill. */
  xid: z
    .object({
      at: z.number(),
      xid: z.int(),
      message: z.string(),
      /** As the host numbers it. */
      pid: z.int().optional(),
      /** Who had the card then: several if the process is not known and the card is shared. */
      workerIds: z.array(z.string()).optional(),
    })
    .optional(),
  /** The operator keeps it for other uses: no worker gets it. */
  reserved: z.boolean().optional(),
  /** Memory of it that the operator leaves to others; absent: none. */
  reservedBytes: z.number().optional(),
  /** Its compute mode lets only one process use it. */
  oneProcess: z.boolean().optional(),
})
export type Gpu = z.infer<typeof Gpu>

/** Prefix of the ids of simulated GPUs. */
export const SIMULATED_UUID = 'GPU-simulated-'
export const isSimulatedUuid = (uuid: string): boolean => uuid.startsWith(SIMULATED_UUID)

/** What a kind of host can do. Decisions depend on these and never on the kind. */
export const HostCapabilities = z.object({
  /** Pulls and runs any image with its own handler; otherwise workers run our agent with the software of the machine. */
  runsImages: z.boolean(),
  /** Isolates workers, and enforces limits of memory, CPUs and processes. */
  isolates: z.boolean(),
  /** Which side chooses a worker's GPUs: the caller, by UUID, or the host, which gets only a number of GPUs. */
  gpuChoice: z.enum(['uuid', 'count']),
  /** Reports the end of a worker that an earlier driver started. */
  remembersExits: z.boolean(),
  /** Mounts volumes where a worker asks for them; absent: it names their directory in RUNPOD_VOLUME_PATH. */
  mountsVolumes: z.boolean().optional(),
  /** The GPUs of a worker are variables of its environment, so one that stands by can be given them. */
  cardsByVariable: z.boolean().optional(),
})
export type HostCapabilities = z.infer<typeof HostCapabilities>

export const HostInventory = z.object({
  /** The host's identity: an engine's id, or a machine with a data directory. */
  hostId: z.string(),
  /** The operator's name for it; only for display. */
  label: z.string().optional(),
  kind: z.enum(HOST_KINDS),
  capabilities: HostCapabilities,
  cpuCount: z.int(),
  memoryBytes: z.number(),
  gpus: z.array(Gpu),
  /** How fast pairs of real GPUs are connected, by uuid, higher is faster; absent: not known. */
  links: z.array(z.object({ from: z.string(), to: z.string(), score: z.number() })).optional(),
  /** Memory that its configuration reserves; absent: `RESERVED_MEMORY_BYTES`. */
  reservedMemoryBytes: z.number().optional(),
  /** From its configuration. */
  labels: z.record(z.string(), z.string()).optional(),
  /** From its configuration; absent: `DEFAULT_DATA_CENTER`. */
  dataCenterId: z.string().optional(),
  /** From its configuration; absent: its volumes are its own. */
  volumes: z.object({ shared: z.boolean() }).optional(),
  /** Most workers at once, by its configuration; absent: no limit. */
  maxWorkers: z.int().optional(),
  /** Memory per GPU that its configuration gives a GPU worker; absent: the GPU's share, 0: no limit. */
  gpuMemoryBytes: z.number().optional(),
  /** Highest CUDA version of the driver, e.g. `12.8`; null without a driver. */
  cudaVersion: z.string().nullable(),
  /** Minor versions of the Pythons that can run deployed apps, e.g. `3.12`; absent: not known, or workers have that of their image. */
  pythons: z.array(z.string()).optional(),
  /** Container runtimes that workers can have, e.g. `runsc`; absent: not known. */
  runtimes: z.array(z.string()).optional(),
})
export type HostInventory = z.infer<typeof HostInventory>

/** The disk where a host keeps its images. */
export const DiskSpace = z.object({ path: z.string(), freeBytes: z.number(), totalBytes: z.number() })
export type DiskSpace = z.infer<typeof DiskSpace>

/** The part of the inventory that the driver reads on its host. */
export interface HostOffer extends Pick<
  HostInventory,
  'cpuCount' | 'memoryBytes' | 'gpus' | 'links' | 'cudaVersion' | 'pythons' | 'runtimes'
> {
  /** What uses each real GPU, by uuid; without those that the host says nothing about. */
  readonly uses?: Readonly<Record<string, CardUse>>
  /** When the report with `uses` was begun, epoch ms. */
  readonly usesAt?: number
  /** Absent: not known, or the host has no images. */
  readonly disk?: DiskSpace | undefined
}

/** The leading scaler's latest observation of a host. */
export const HostSight = z.object({
  /** `unready`: its preparation is running or has failed; `unreachable`: its workers are unknown. */
  health: z.enum(['ready', 'unready', 'unreachable']),
  /** One sentence, unless it is ready. */
  problem: z.string().optional(),
  label: z.string(),
  kind: z.enum(HOST_KINDS),
  /** When the scaler wrote this, epoch ms. It writes after changes and from time to time. */
  at: z.number(),
  inventory: HostInventory.optional(),
  /** Why the host pulls no image now, as the end of a sentence; absent: it may. */
  lowDisk: z.string().optional(),
  /** When the inventory was read, epoch ms. */
  inventoryAt: z.number().optional(),
  /** Held GPUs: uuid → worker id; null: a worker of another installation. */
  claims: z.record(z.string(), z.string().nullable()),
  /** Of GPUs that workers share: uuid → each worker and its budget; absent: none is shared. */
  sharers: z.record(z.string(), z.array(z.object({ workerId: z.string(), bytes: z.number() }))).optional(),
  /** Names of configured hosts that are not used, because they are this engine; absent: none. */
  twins: z.array(z.string()).optional(),
  /** Workers that stand by: started, without an endpoint; absent: none. */
  standby: z.int().optional(),
  /** Why no further one can be started; absent: nothing is wrong. */
  standbyProblem: z.string().optional(),
})
export type HostSight = z.infer<typeof HostSight>

/** The operator wants no new workers on the host; `drain`: nor those that are there. */
export const Cordon = z.object({ since: z.number(), reason: z.string(), drain: z.boolean().optional() })
export type Cordon = z.infer<typeof Cordon>

/** A host that failed starts through its own fault gets no workers for a while. */
export const HostRest = z.object({
  /** `gpus`: workers without a GPU may still start. */
  what: z.enum(['host', 'gpus']),
  /** Consecutive rounds of failed starts. */
  count: z.int(),
  /** When the latest start failed, epoch ms. */
  lastAt: z.number(),
  /** One sentence of evidence. */
  message: z.string(),
})
export type HostRest = z.infer<typeof HostRest>

/** An image that Runyard pulled onto a host. */
export const PulledImage = z.object({
  /** As it was asked for. */
  name: z.string(),
  imageId: z.string(),
  /** Epoch ms. */
  pulledAt: z.number(),
  /** When an endpoint or a container was last seen to use it, epoch ms. */
  usedAt: z.number(),
})
export type PulledImage = z.infer<typeof PulledImage>

/** What is on a host under the name of an image. */
export interface HeldImage {
  readonly name: string
  readonly imageId: string
  /** With layers that other images share. */
  readonly bytes: number
  /** A container, running or not, is made of it. */
  readonly isUsed: boolean
}

/** All stored facts about a host; each part has one writer. */
export const HostRecord = z.object({
  hostId: z.string(),
  /** Written by the leading scaler. */
  sight: HostSight.optional(),
  /** Written by the leading scaler, and outlives it. */
  rest: HostRest.optional(),
  /** Written by the leading scaler: images that may be removed again. */
  images: z.array(PulledImage).optional(),
  /** Written by the operator. */
  cordon: Cordon.optional(),
})
export type HostRecord = z.infer<typeof HostRecord>
