// Memory budgets of workers (ADR 61): what an endpoint asks for, and who may be on one GPU. Two workers share a GPU only if both have a budget, and the budgets
// together never exceed the memory that workers may have. Failure direction: a GPU is used by fewer workers than it could be.
import { quoted, type AttachedGpu, type EndpointSpec, type Gpu } from '@runyard/schema'

export const GPU_BUDGET_VARIABLE = 'RUNYARD_GPU_MEMORY_MIB'

const MIB = 2 ** 20
const GIB = 2 ** 30
/** Up to 9,999,999 MiB. */
const BUDGET = /^[1-9]\d{0,6}$/u

type Asking = Pick<EndpointSpec, 'gpu'> & Partial<Pick<EndpointSpec, 'env'>>

/** Memory per worker, in bytes; undefined: its workers have their GPUs alone. */
export function gpuBudgetOf({ gpu, env = {} }: Asking): number | undefined {
  const text = env[GPU_BUDGET_VARIABLE] ?? ''
  return gpu?.count === 1 && BUDGET.test(text) ? Number(text) * MIB : undefined
}

/** Why the endpoint cannot have this budget, in one sentence. */
export function gpuBudgetProblem({ gpu, env = {} }: Asking): string | undefined {
  const text = env[GPU_BUDGET_VARIABLE]
  if (text === undefined) return undefined
  if (!BUDGET.test(text)) return `${GPU_BUDGET_VARIABLE} is the GPU memory of a worker in MiB, such as 8000; ${quoted(text)} was given.`
  if (gpu === null) return `${GPU_BUDGET_VARIABLE} is for workers with a GPU; this endpoint asks for CPU workers.`
  return gpu.count === 1
    ? undefined
    : `${GPU_BUDGET_VARIABLE} is for workers with one GPU, because several are never shared; ${gpu.count} were asked for.`
}

/** Memory of a GPU without what its host's configuration leaves to others (`reserve.gpuMemoryMib`). */
export function usableMemoryOf({ memoryBytes, reservedBytes = 0 }: Pick<Gpu, 'memoryBytes' | 'reservedBytes'>): number {
  return Math.max(0, memoryBytes - reservedBytes)
}

export interface Held {
  readonly gpuUuids: readonly string[]
  /** Of its only GPU; absent: it has its GPUs alone. */
  readonly budgetBytes?: number | undefined
}

/** How much of each GPU is taken, by uuid. Infinity: a worker has it alone. */
export function takenMemory(holdings: readonly Held[]): ReadonlyMap<string, number> {
  const taken = new Map<string, number>()
  for (const { gpuUuids, budgetBytes = Infinity } of holdings)
    for (const uuid of gpuUuids) taken.set(uuid, (taken.get(uuid) ?? 0) + budgetBytes)
  return taken
}

/** `taken`: of this GPU. `budget` undefined: the worker needs it alone. */
export function hasRoom(gpu: Gpu, budget: number | undefined, taken = 0): boolean {
  return budget === undefined ? taken === 0 : taken + budget <= usableMemoryOf(gpu)
}

export const budgetOn = ([gpu]: readonly AttachedGpu[]): { readonly budgetBytes?: number } =>
  gpu?.part === undefined ? {} : { budgetBytes: gpu.part.bytes }

/** How many GPUs a worker has, with the part of one that it shares, e.g. 0.25. */
export function cardsIn(gpus: readonly Pick<AttachedGpu, 'part'>[]): number {
  return gpus.reduce((sum, { part }) => sum + (part === undefined ? 1 : part.bytes / part.ofBytes), 0)
}

/** E.g. `7.8 GiB`. */
export const inGib = (bytes: number): string => `${Number((bytes / GIB).toFixed(1))} GiB`
