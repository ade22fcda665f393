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
  /** Why it may have no worker more; undefined: it may. */
  refusalFor(endpoint: OfKey): Refused | undefined
}

interface Counted {
  readonly endpoint: OfKey
  readonly workers: readonly WorkerView[]
}

export function createKeyRoom(limits: ReadonlyMap<string, KeyLimit>, counted: readonly Counted[]): KeyRoom {
  const keys = new Map([...limits].map(([keyId, limit]) => [keyId, { ...limit, have: 0 }]))
  const room: KeyRoom = {
    keyOf: ({ keyId }) => (keyId !== undefined && limits.has(keyId) ? keyId : undefined),
    hasRoom({ keyId = '' }, leaving = 0) {
      const key = keys.get(keyId)
      return key === undefined || key.have - leaving < key.workers
    },
    add({ keyId = '' }, workers) {
      const key = keys.get(keyId)
      if (key !== undefined) key.have += workers
    },
    refusalFor({ keyId = '' }) {
      const key = keys.get(keyId)
      if (key === undefined || key.have < key.workers) return undefined
      const message = `the API key "${key.name}", which created the endpoint, may have ${workersOf(key.workers)} and has ${key.have}`
      return { kind: 'refused', reason: 'key_limit', message }
    },
  }
  if (limits.size === 0) return room
  for (const { endpoint, workers } of counted) room.add(endpoint, workers.filter(({ fate }) => fate.kind !== 'dead').length)
  return room
}

const workersOf = (count: number): string => (count === 1 ? '1 worker' : `${count} workers`)
