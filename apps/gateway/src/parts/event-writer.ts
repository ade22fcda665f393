// Writes the endpoints' history outside of the hot path: events are collected and written ten times a second, at most a hundred per endpoint and flush;
// the oldest are dropped first. History is for people: a lost line never costs a job.
import type { Logger } from '@runyard/kit'
import type { EndpointEvent } from '@runyard/schema'
import type { EventStore } from '@runyard/store'

const FLUSH_EVERY_MS = 100
const KEEP_PER_FLUSH = 100

export type EventWriter = ReturnType<typeof createEventWriter>

export function createEventWriter(deps: { events: EventStore; log: Logger }) {
  let waiting = new Map<string, EndpointEvent[]>()
  let timer: NodeJS.Timeout | undefined

  async function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    waiting = new Map()
    try {
      await deps.events.append(...[...batch.values()].flat())
    } catch (error) {
      deps.log.warn({ err: error }, 'some lines of the endpoints’ history were not written')
    }
  }

  return {
    add(event: EndpointEvent) {
      const events = waiting.get(event.endpointId)
      if (events === undefined) waiting.set(event.endpointId, [event])
      else if (events.push(event) > KEEP_PER_FLUSH) events.shift()
      timer ??= setTimeout(() => void flush(), FLUSH_EVERY_MS)
    },
    flush,
    async [Symbol.asyncDispose]() {
      await flush()
    },
  }
}
