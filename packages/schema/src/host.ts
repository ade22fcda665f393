// Hosts and what they offer. Inventory is a fact read from the host; nothing here is wished.
import { z } from 'zod'

export const HOST_KINDS = ['docker', 'process'] as const
export type HostKind = (typeof HOST_KINDS)[number]

export const Gpu = z.object({
  uuid: z.string(),
  /** The product name as nvidia-smi prints it, which equals Runpod's GPU type id (management §0.1.10). */
  name: z.string(),
  memoryBytes: z.number(),
  simulated: z.boolean(),
  /** False while nvidia-smi reports a fault that forbids its use; then `fault` says which. */
  healthy: z.boolean(),
  fault: z.string().optional(),
})
export type Gpu = z.infer<typeof Gpu>

/** How the ids of declared cards begin, which are on no machine. */
export const SIMULATED_UUID = 'GPU-simulated-'
export const isSimulatedUuid = (uuid: string): boolean => uuid.startsWith(SIMULATED_UUID)

/** What a kind of host can do. Decisions ask for these and never for the kind. */
export const HostCapabilities = z.object({
  /** Runs any image with its own handler, and pulls it; else workers are our agent on what the machine has. */
  runsImages: z.boolean(),
  /** Shuts workers in, and enforces limits of memory, CPUs and processes. */
  isolates: z.boolean(),
  /** Who chooses a worker's cards: the caller, by UUID; or the host, which is asked for a number of them. */
  gpuChoice: z.enum(['uuid', 'count']),
  /** Knows how a worker ended that an earlier driver started. */
  remembersExits: z.boolean(),
})
export type HostCapabilities = z.infer<typeof HostCapabilities>

export const HostInventory = z.object({
  /** What the host is: an engine's id, or a machine with a data directory. */
  hostId: z.string(),
  /** What the operator calls it; for people alone. */
  label: z.string().optional(),
  kind: z.enum(HOST_KINDS),
  capabilities: HostCapabilities,
  cpuCount: z.int(),
  memoryBytes: z.number(),
  gpus: z.array(Gpu),
  /** What its configuration keeps from workers; absent: `RESERVED_MEMORY_BYTES`. */
  reservedMemoryBytes: z.number().optional(),
  /** What its configuration gives a GPU worker per card; absent: the card's share, 0: no limit. */
  gpuMemoryBytes: z.number().optional(),
  /** Highest CUDA version of the driver, e.g. `12.8`; null without a driver. */
  cudaVersion: z.string().nullable(),
})
export type HostInventory = z.infer<typeof HostInventory>

/** What the driver reads on its host. */
export type HostOffer = Pick<HostInventory, 'cpuCount' | 'memoryBytes' | 'gpus' | 'cudaVersion'>

/** What the leading scaler last saw of a host. */
export const HostSight = z.object({
  /** `unready`: it is being prepared, or cannot be; `unreachable`: its workers are unknown. */
  health: z.enum(['ready', 'unready', 'unreachable']),
  /** One sentence, unless it is ready. */
  problem: z.string().optional(),
  label: z.string(),
  kind: z.enum(HOST_KINDS),
  /** When the scaler wrote this, epoch ms. It is written when something changes, and now and then. */
  at: z.number(),
  inventory: HostInventory.optional(),
  /** When the inventory was read, epoch ms. */
  inventoryAt: z.number().optional(),
  /** GPUs that are held: uuid → worker id; null: a worker of another install. */
  claims: z.record(z.string(), z.string().nullable()),
})
export type HostSight = z.infer<typeof HostSight>

/** The operator wants no new workers there. */
export const Cordon = z.object({ since: z.number(), reason: z.string() })
export type Cordon = z.infer<typeof Cordon>

/** A host that failed starts through its own fault rests before the next try. */
export const HostRest = z.object({
  /** `gpus`: workers without a GPU may still start. */
  what: z.enum(['host', 'gpus']),
  /** Consecutive rounds of failed starts. */
  count: z.int(),
  /** When the latest failed, epoch ms. */
  lastAt: z.number(),
  /** One sentence of evidence. */
  message: z.string(),
})
export type HostRest = z.infer<typeof HostRest>

/** All that is known of a host; each part has one writer. */
export const HostRecord = z.object({
  hostId: z.string(),
  /** By the leading scaler. */
  sight: HostSight.optional(),
  /** By the leading scaler; outlives it. */
  rest: HostRest.optional(),
  /** By the operator. */
  cordon: Cordon.optional(),
})
export type HostRecord = z.infer<typeof HostRecord>
