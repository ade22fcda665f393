// Runpod's GPU pools and their members (flash-api §9.1, management §12) and CPU instances (flash-api §9.2), as data.
// A GPU that is not listed here is still accepted: it matches a request for its own name, and a request for every pool.

/** Pool id → the product names (as nvidia-smi prints them) that satisfy it. */
export const GPU_POOLS = {
  AMPERE_16: ['NVIDIA RTX A4000', 'NVIDIA RTX A4500', 'NVIDIA RTX 4000 Ada Generation', 'NVIDIA RTX 2000 Ada Generation'],
  AMPERE_24: ['NVIDIA RTX A5000', 'NVIDIA L4', 'NVIDIA GeForce RTX 3090'],
  ADA_24: ['NVIDIA GeForce RTX 4090'],
  ADA_32_PRO: ['NVIDIA GeForce RTX 5090'],
  AMPERE_48: ['NVIDIA A40', 'NVIDIA RTX A6000'],
  ADA_48_PRO: ['NVIDIA RTX 6000 Ada Generation', 'NVIDIA L40', 'NVIDIA L40S'],
  AMPERE_80: ['NVIDIA A100 80GB PCIe', 'NVIDIA A100-SXM4-80GB'],
  ADA_80_PRO: ['NVIDIA H100 80GB HBM3', 'NVIDIA H100 PCIe', 'NVIDIA H100 NVL'],
  BLACKWELL_96: [
    'NVIDIA RTX PRO 6000 Blackwell Server Edition',
    'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
  ],
  HOPPER_141: ['NVIDIA H200'],
  BLACKWELL_180: ['NVIDIA B200'],
} as const satisfies Record<string, readonly string[]>

export type GpuPool = keyof typeof GPU_POOLS
export const GPU_POOL_IDS = Object.keys(GPU_POOLS) as readonly GpuPool[]

/** Memory of simulated GPUs in GB; GPUs that are not listed are simulated with 24 GB. */
export const GPU_MEMORY_GB: Readonly<Record<string, number>> = {
  'NVIDIA RTX A4000': 16,
  'NVIDIA RTX A4500': 20,
  'NVIDIA RTX 4000 Ada Generation': 20,
  'NVIDIA RTX 2000 Ada Generation': 16,
  'NVIDIA RTX A5000': 24,
  'NVIDIA L4': 24,
  'NVIDIA GeForce RTX 3090': 24,
  'NVIDIA GeForce RTX 4090': 24,
  'NVIDIA GeForce RTX 5090': 32,
  'NVIDIA A40': 48,
  'NVIDIA RTX A6000': 48,
  'NVIDIA RTX 6000 Ada Generation': 48,
  'NVIDIA L40': 48,
  'NVIDIA L40S': 48,
  'NVIDIA A100 80GB PCIe': 80,
  'NVIDIA A100-SXM4-80GB': 80,
  'NVIDIA H100 80GB HBM3': 80,
  'NVIDIA H100 PCIe': 80,
  'NVIDIA H100 NVL': 94,
  'NVIDIA RTX PRO 6000 Blackwell Server Edition': 96,
  'NVIDIA RTX PRO 6000 Blackwell Workstation Edition': 96,
  'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition': 96,
  'NVIDIA H200': 141,
  'NVIDIA B200': 180,
}

export function isGpuPool(token: string): token is GpuPool {
  return Object.hasOwn(GPU_POOLS, token)
}

export interface GpuType {
  /** The product name as nvidia-smi prints it. */
  readonly id: string
  readonly displayName: string
  readonly memoryGb: number
  readonly pool: GpuPool
  /** Maximum number of GPUs per worker, on one machine. */
  readonly maxCount: number
}

const MAX_COUNT = 8

/** Every GPU type that is in a pool. */
export const GPU_TYPES: readonly GpuType[] = GPU_POOL_IDS.flatMap((pool) =>
  GPU_POOLS[pool].map((id) => ({ id, displayName: displayNameOf(id), memoryGb: GPU_MEMORY_GB[id] ?? 24, pool, maxCount: MAX_COUNT })),
)

/** `NVIDIA GeForce RTX 4090` → `RTX 4090` (management §12). */
function displayNameOf(id: string): string {
  return id.replace(/^NVIDIA (GeForce )?/, '')
}

export function findGpuType(id: string): GpuType | undefined {
  const name = normalizeGpuName(id)
  return GPU_TYPES.find((type) => type.id === name)
}

/** nvidia-smi and old clients print some names with two spaces (management §12). */
export function normalizeGpuName(name: string): string {
  return name.trim().replaceAll(/\s+/g, ' ')
}

/** The pool of a GPU, for display and `RUNPOD_GPU_SIZE`; undefined for a GPU in no pool. */
export function poolOf(gpuName: string): GpuPool | undefined {
  const name = normalizeGpuName(gpuName)
  return GPU_POOL_IDS.find((pool) => (GPU_POOLS[pool] as readonly string[]).includes(name))
}
