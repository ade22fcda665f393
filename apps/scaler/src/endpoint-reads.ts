// What was last read of each endpoint, and which endpoints a tick reads again (ADR 54): those that a signal named, those on which this scaler acts, those
// with a lease that has expired, and each one from time to time. Failure direction: a lost signal delays its endpoint by at most `REREAD_MS`. What is
// old is never acted on: the tick reads it first.
import { workerKey, type InFlightKind } from '@runyard/core'
import type { Signal, WorkerRecord } from '@runyard/schema'
import type { RequestLoad, Store } from '@runyard/store'

export interface Reading {
  readonly at: number
  readonly queue: Awaited<ReturnType<Store['jobs']['stats']>>
  readonly leases: Awaited<ReturnType<Store['jobs']['leases']>>
  readonly workers: readonly WorkerRecord[]
  /** Of a load-balanced endpoint. */
  readonly requests: RequestLoad | undefined
}

export interface Look {
  readonly store: Pick<Store, 'jobs' | 'workers' | 'requests'>
  readonly endpointIds: readonly string[]
  /** Those of them that are load-balanced; absent: none. */
  readonly balanced?: ReadonlySet<string>
  readonly inFlight: ReadonlyMap<string, InFlightKind>
  readonly now: number
  /** Read again, whatever is known. */
  readonly also: 'all' | ReadonlySet<string>
}

export type EndpointReads = ReturnType<typeof createEndpointReads>

/** After at most this time an endpoint is read again; after at least half of it, spread over the endpoints. */
const REREAD_MS = 10_000

export function createEndpointReads() {
  let readings = new Map<string, Reading>()
  let changed = new Set<string>()
  let isAllChanged = false
  let inFlightBefore: ReadonlyMap<string, InFlightKind> = new Map()
  let storeBefore: Look['store'] | undefined

  function isDue(endpointId: string, { inFlight, now, also }: Look): boolean {
    const known = readings.get(endpointId)
    if (known === undefined || changed.has(endpointId) || also === 'all' || also.has(endpointId)) return true
    if (now >= known.at + REREAD_MS * (0.5 + 0.5 * fractionOf(endpointId))) return true
    if (known.leases.some(({ expiresAt = Infinity }) => expiresAt <= now)) return true
    const isTouched = (key: string): boolean => inFlight.has(key) || inFlightBefore.has(key)
    return isTouched(`sweep:${endpointId}`) || known.workers.some(({ id }) => isTouched(workerKey(id)))
  }

  return {
    note(signal: Signal) {
      if (signal.kind === 'resync') isAllChanged = true
      else if ('endpointId' in signal) changed.add(signal.endpointId)
    },
    /** Readings of all the named endpoints; the others are forgotten. */
    async read(look: Look): Promise<ReadonlyMap<string, Reading>> {
      // Under another term, or after an outage, nothing of what was read counts.
      if (isAllChanged || look.store !== storeBefore) readings = new Map()
      const due = new Set(look.endpointIds.filter((endpointId) => isDue(endpointId, look)))
      // What changes from here on is changed for the next look.
      changed = new Set()
      isAllChanged = false
      storeBefore = look.store
      const known = readings
      try {
        const found = await Promise.all(
          look.endpointIds.map(async (id) => [id, due.has(id) ? await readOne(look, id) : known.get(id)] as const),
        )
        readings = new Map(found.flatMap(([id, reading]) => (reading === undefined ? [] : [[id, reading]])))
        inFlightBefore = look.inFlight
        return readings
      } catch (error) {
        isAllChanged = true
        throw error
      }
    },
    /** It was read at that time or later, or there is nothing to read. */
    isFresh: (endpointId: string, since: number): boolean => (readings.get(endpointId)?.at ?? since) >= since,
  }
}

/** Sent at once, so that they are one round trip; Redis answers in this order. */
async function readOne({ store, balanced }: Look, endpointId: string): Promise<Reading> {
  const at = Date.now()
  const [queue, leases, workers, requests] = await Promise.all([
    store.jobs.stats(endpointId),
    store.jobs.leases(endpointId),
    store.workers.list(endpointId),
    balanced?.has(endpointId) === true ? store.requests.load(endpointId) : undefined,
  ])
  return { at, queue, leases, workers, requests }
}

/** 0 to 1, the same each time. */
function fractionOf(text: string): number {
  let sum = 0
  for (let at = 0; at < text.length; at++) sum = (sum * 31 + text.charCodeAt(at)) % 997
  return sum / 997
}
