// The events of an endpoint, and the scaler's latest status of it. Their number is limited; the oldest are dropped.
import type { EndpointEvent, EventSubject, ImagePull } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'

export type EventStore = ReturnType<typeof createEventStore>

export interface ScalerStatus {
  readonly at: number
  /** Workers wanted now that no host can take, with the sentence why. */
  readonly throttled: number
  readonly reason: string | undefined
  readonly message: string | undefined
  readonly unhealthy: number
  /** When a start is tried again after failed ones, epoch ms. */
  readonly nextTryAt?: number | undefined
  /** How many more workers could start without a pull. */
  readonly mayStart?: number | undefined
  /** Its image on hosts that do not have it yet. */
  readonly pulls?: readonly ImagePull[] | undefined
}

export type StatusStore = ReturnType<typeof createStatusStore>

/** Both write nothing of an endpoint that was forgotten. */
const appendEventsScript = defineScript({
  lua: new URL('./append-events.lua', import.meta.url),
  keys: ['events', 'forgotten'],
  args: { most: 'number', texts: 'texts' },
  reply: nothing,
})

const putStatusScript = defineScript({
  lua: new URL('./put-status.lua', import.meta.url),
  keys: ['status', 'forgotten'],
  args: { text: 'text' },
  reply: nothing,
})

const MAX_EVENTS = 1000

/** A busy job plane must not push out what happened to workers, so each has a list of its own. */
const LISTS = { jobs: 'eventsOfJobs', workers: 'events' } as const

const subjectOf = ({ kind }: EndpointEvent): keyof typeof LISTS => (kind.startsWith('job_') ? 'jobs' : 'workers')

export function createEventStore({ client, keys, run }: StoreContext) {
  const append = (endpointId: string, subject: keyof typeof LISTS, events: readonly EndpointEvent[]) => {
    const texts = events.slice(-MAX_EVENTS).map((event) => JSON.stringify(event))
    const [written, forgotten] = [keys.of(endpointId, LISTS[subject]), keys.of(endpointId, 'forgotten')]
    return run(appendEventsScript, { events: written, forgotten, most: MAX_EVENTS, texts })
  }
  const read = async (endpointId: string, subject: keyof typeof LISTS, limit: number) => {
    const events = await client.lrange(keys.of(endpointId, LISTS[subject]), -limit, -1)
    return events.map((stored): EndpointEvent => JSON.parse(stored))
  }
  return {
    /** Of those about jobs, and of the others, the oldest beyond a thousand go. Of an endpoint that was forgotten nothing is written any more. */
    async append(...events: readonly EndpointEvent[]): Promise<void> {
      const writes = [...Map.groupBy(events, ({ endpointId }) => endpointId)].flatMap(([endpointId, own]) =>
        [...Map.groupBy(own, subjectOf)].map(([subject, some]) => append(endpointId, subject, some)),
      )
      await Promise.all(writes)
    },

    /** Oldest first, at most `limit` of the newest. */
    async list(endpointId: string, limit: number, about: EventSubject = 'all'): Promise<readonly EndpointEvent[]> {
      if (limit <= 0) return []
      if (about !== 'all') return read(endpointId, about, limit)
      const [jobs, workers] = await Promise.all([read(endpointId, 'jobs', limit), read(endpointId, 'workers', limit)])
      return [...workers, ...jobs].toSorted((a, b) => a.at - b.at).slice(-limit)
    },
  }
}

export function createStatusStore({ client, keys, run, signals }: StoreContext) {
  return {
    /** The scaler's last word on an endpoint; of one that was forgotten nothing is written. Emits `status-changed` when `quiet` is not set. */
    async put(endpointId: string, status: ScalerStatus, { quiet = false }: { readonly quiet?: boolean } = {}): Promise<void> {
      const forgotten = keys.of(endpointId, 'forgotten')
      await run(putStatusScript, { status: keys.of(endpointId, 'status'), forgotten, text: JSON.stringify(status) })
      if (!quiet) signals.publish({ kind: 'status-changed', endpointId })
    },

    async get(endpointId: string): Promise<ScalerStatus | undefined> {
      const stored = await client.get(keys.of(endpointId, 'status'))
      if (stored === null) return undefined
      const { at, throttled, reason, message, unhealthy, nextTryAt, pulls, mayStart }: ScalerStatus = JSON.parse(stored)
      return { at, throttled, reason, message, unhealthy, nextTryAt, pulls, mayStart }
    },
  }
}
