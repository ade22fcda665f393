// Models decide which of the fitting hosts gets a worker (ADR 86): their gigabytes cost more time than an image. None of them refuses a host, because what no
// endpoint asks for makes room; where it does not, the start fails with the sentence.
import type { CachedModel, Endpoint } from '@runyard/schema'

/** Sizes in bytes, by `modelKey`. */
export type ModelNeeds = ReadonlyMap<string, number>

export interface ModelShelf {
  /** What the host has or is fetching, by `modelKey`, as far as is known. */
  readonly models?: ReadonlySet<string> | undefined
  /** How much its disk takes; undefined: not known. */
  readonly roomBytes?: number | undefined
}

/** Equal for models that a host keeps once: what needs a token is fetched by each owner with their own, all else is shared. */
export function modelIdentity({ repo, ref, commit, needsToken }: CachedModel, ownerId: string): readonly string[] {
  return [repo, ref, commit, ...(needsToken ? [ownerId] : [])]
}

export const modelKey = (model: CachedModel, ownerId: string): string => JSON.stringify(modelIdentity(model, ownerId))

export function modelNeeds({ spec: { models = [] }, ownerId }: Pick<Endpoint, 'spec' | 'ownerId'>): ModelNeeds {
  return new Map(models.map((model) => [modelKey(model, ownerId), model.sizeBytes]))
}

/** The lower, the better: whether the host's disk lacks the room, then the bytes that it has to fetch. */
export function modelScore(needs: ModelNeeds = new Map(), { models, roomBytes = Infinity }: ModelShelf): readonly [number, number] {
  const missing = [...needs].reduce((sum, [key, bytes]) => sum + (models?.has(key) === true ? 0 : bytes), 0)
  return [missing > Math.max(0, roomBytes) ? 1 : 0, missing]
}
