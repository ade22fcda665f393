// Finds the type of a GPU by its name. A GPU without a type is still accepted under its own name: it matches a request for that name, and a
// request for any GPU. The operator's types have priority over the built-in ones.
import type { Gpu, GpuPool, GpuTypeConfig, HostInventory } from '@runyard/schema'
import { GPU_NAME_ALIASES, GPU_POOL_IDS, GPU_POOLS, GPU_TYPE_ROWS, POOL_BOUNDS, type GpuGeneration, type GpuTypeRow } from './gpu-types.ts'

export { GPU_POOL_IDS, GPU_POOLS }

export interface GpuType {
  /** The product name as current drivers print it. */
  readonly id: string
  readonly displayName: string
  readonly memoryGb: number
  readonly pool: GpuPool | null
  /** Maximum number of GPUs per worker, on one machine. */
  readonly maxCount: number
}

export interface GpuCatalogue {
  readonly types: readonly GpuType[]
  find(name: string): GpuType | undefined
  /** The card under its type's name, with the pool that its own memory gives it. */
  identify(gpu: Gpu): Gpu
}

const MAX_COUNT = 8
const GIB = 2 ** 30
const DEFAULT_MEMORY_GB = 24
type Known = GpuType & { readonly generation: GpuGeneration; readonly isPoolFixed: boolean }

export function isGpuPool(token: string): token is GpuPool {
  return Object.hasOwn(GPU_POOLS, token)
}

/** Joins repeated blanks: some clients and drivers write two (management §12). */
export function normalizeGpuName(name: string): string {
  return name.trim().replaceAll(/\s+/g, ' ')
}

/** A name for comparing: drivers before 470 leave out `NVIDIA `. */
function keyOf(name: string): string {
  return normalizeGpuName(name)
    .replace(/^NVIDIA /i, '')
    .toLowerCase()
}

const ALIASES = new Map(Object.entries(GPU_NAME_ALIASES).map(([alias, id]) => [keyOf(alias), id]))
const BUILT_IN: ReadonlyMap<string, Known> = new Map(GPU_TYPE_ROWS.map((row) => [keyOf(row[0]), toKnown(row)]))

function toKnown([id, displayName, memoryGb, generation]: GpuTypeRow): Known {
  const published = GPU_POOL_IDS.find((pool) => isPublished(pool, id))
  const isSlice = id.includes(' MIG ')
  const pool = published ?? (isSlice ? null : poolByBounds(memoryGb, generation))
  return { id, displayName, memoryGb, pool, maxCount: MAX_COUNT, generation, isPoolFixed: published !== undefined || isSlice }
}

function poolByBounds(gib: number, generation: GpuGeneration): GpuPool | null {
  const found = POOL_BOUNDS.find(
    ({ fromGib, belowGib, generations }) => gib >= fromGib && gib < belowGib && generations.includes(generation),
  )
  return found?.pool ?? null
}

/** Cards of a pool have more memory than any card of the next smaller pool. 0 for the smallest pools. */
export function leastMemoryOf(pool: string): number {
  const from = Math.min(...POOL_BOUNDS.filter((bounds) => bounds.pool === pool).map(({ fromGib }) => fromGib))
  return GIB * Math.max(0, ...POOL_BOUNDS.filter(({ belowGib }) => belowGib <= from).map(({ belowGib }) => belowGib))
}

/** True if Runpod's list has the type in this pool. Other types are in a pool by their memory, or by the operator's choice. */
export function isPublished(pool: GpuPool, id: string): boolean {
  return (GPU_POOLS[pool] as readonly string[]).includes(id)
}

/** The name of the built-in type, else the normalized name. Two names of one type are equal under it. */
export function canonicalGpuName(name: string): string {
  const key = keyOf(name)
  return ALIASES.get(key) ?? BUILT_IN.get(key)?.id ?? normalizeGpuName(name)
}

export function createGpuCatalogue(given: Readonly<Record<string, GpuTypeConfig>> = {}): GpuCatalogue {
  const types = new Map(BUILT_IN)
  for (const [name, settings] of Object.entries(given)) {
    const id = canonicalGpuName(name)
    types.set(keyOf(id), withSettings(id, types.get(keyOf(id)), settings))
  }
  const find = (name: string): Known | undefined => types.get(keyOf(canonicalGpuName(name)))
  return {
    types: [...types.values()],
    find,
    identify: (gpu) => {
      const type = find(gpu.name)
      if (type === undefined) return { ...gpu, name: normalizeGpuName(gpu.name), pool: null }
      const { id, pool, isPoolFixed, generation } = type
      return { ...gpu, name: id, pool: isPoolFixed ? pool : poolByBounds(gpu.memoryBytes / GIB, generation) }
    },
  }
}

function withSettings(id: string, known: Known = unknownType(id), { pool, memoryGb, displayName, maxCount }: GpuTypeConfig): Known {
  const changed = {
    ...known,
    displayName: displayName ?? known.displayName,
    memoryGb: memoryGb ?? known.memoryGb,
    maxCount: maxCount ?? known.maxCount,
  }
  return pool === undefined ? changed : { ...changed, pool, isPoolFixed: true }
}

const unknownType = (id: string): Known => toKnown([id, displayNameOf(id), DEFAULT_MEMORY_GB, 'other'])

/** `NVIDIA GeForce RTX 4090` → `RTX 4090` (management §12). */
function displayNameOf(id: string): string {
  return id.replace(/^NVIDIA (GeForce )?/, '')
}

export function makerOf(id: string): 'NVIDIA' | 'AMD' {
  return id.startsWith('AMD ') ? 'AMD' : 'NVIDIA'
}

/** Memory of a simulated GPU of this name. */
export function memoryGbOf(catalogue: GpuCatalogue, name: string): number {
  return catalogue.find(name)?.memoryGb ?? DEFAULT_MEMORY_GB
}

/** The inventory with each GPU under its type. A GPU without memory of its own (GB10) has the host's. */
export function withGpuTypes(inventory: HostInventory, catalogue: GpuCatalogue): HostInventory {
  const gpus = inventory.gpus.map((gpu) => catalogue.identify({ ...gpu, memoryBytes: gpu.memoryBytes || inventory.memoryBytes }))
  return { ...inventory, gpus }
}

export interface NamedGpu {
  readonly name: string
  /** From the scaler's catalogue; absent: the built-in one decides. */
  readonly pool?: string | null | undefined
}

/** The pool of a GPU; null for a GPU in no pool. */
export function poolOf({ name, pool }: NamedGpu): string | null {
  return pool === undefined ? (BUILT_IN.get(keyOf(canonicalGpuName(name)))?.pool ?? null) : pool
}
