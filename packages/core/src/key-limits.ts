// How many workers the endpoints of one API key may have together (ADR 60). An endpoint counts for the key that created it. What is not known to be gone
// counts, as for the maximum of an endpoint. Failure direction: a job waits rather than that a key has a worker too many. A limit that was lowered
// below what is there stops nothing: workers end as usual, and none starts until there is room.
import type { ApiKey, Endpoint } from '@runyard/schema'
import type { Refused } from './placement.ts'
import type { WorkerView } from './worker-view.ts'

/** How many workers the endpoints of an API key may have together. */
export interface KeyLimit {
  readonly name: string
  readonly workers: number
}

/** The limit of each key that has one. `perKey`: the default of the configuration, 0: none. */
export function keyLimitsOf(keys: readonly ApiKey[], perKey: number): ReadonlyMap<string, KeyLimit> {
  return new Map(
    keys.flatMap(({ id, name, limits }): [string, KeyLimit][] => {
      const workers = limits?.workers === undefined ? perKey : limits.workers
      return workers === null || workers === 0 ? [] : [[id, { name, workers }]]
    }),
  )
}

type OfKey = Pick<Endpoint, 'keyId'>

/** Counts while a plan is made. */
export interface KeyRoom {
  /** Whether the key of the endpoint may have one worker more once `leaving` of its workers are gone. */
  hasRoom(endpoint: OfKey, leaving?: number): boolean
  /** The limited key that the endpoint counts for. */
  keyOf(endpoint: OfKey): string | undefined
  /** Workers of the endpoint that come (1) or are sure to go (-1). */
  add(endpoint: OfKey, workers: number): void
  refuse(endpoint: OfKey): Refused
}

interface Counted {
  readonly endpoint: OfKey
  readonly workers: readonly WorkerView[]
}

export function createKeyRoom(limits: ReadonlyMap<string, KeyLimit>, counted: readonly Counted[]): KeyRoom {
  const counts = new Map<string, number>()
  const room: KeyRoom = {
    keyOf: ({ keyId }) => (keyId !== undefined && limits.has(keyId) ? keyId : undefined),
    hasRoom({ keyId = '' }, leaving = 0) {
      const limit = limits.get(keyId)
      return limit === undefined || (counts.get(keyId) ?? 0) - leaving < limit.workers
    },
    add({ keyId = '' }, workers) {
      if (limits.has(keyId)) counts.set(keyId, (counts.get(keyId) ?? 0) + workers)
    },
    refuse({ keyId = '' }) {
      const { name, workers } = limits.get(keyId) ?? { name: keyId, workers: 0 }
      const have = counts.get(keyId) ?? 0
      const message = `the API key "${name}", which created the endpoint, may have ${workersOf(workers)} and has ${have}`
      return { kind: 'refused', reason: 'key_limit', message }
    },
  }
  if (limits.size === 0) return room
  for (const { endpoint, workers } of counted) room.add(endpoint, workers.filter(({ fate }) => fate.kind !== 'dead').length)
  return room
}

const workersOf = (count: number): string => (count === 1 ? '1 worker' : `${count} workers`)
