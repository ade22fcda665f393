// What people read afterwards: a worker's log lines, an endpoint's events, the scaler's last word. All capped; losing the oldest is fine.
import { toLine } from '@runyard/core'
import type { EndpointEvent } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, nothing, number, row, text } from '../scripts/replies.ts'
import type { EventStore, ScalerStatus, StatusStore, WorkerLogStore } from '../types.ts'
import type { StoredLine } from './history-types.ts'

const appendLogScript = defineScript(
  {
    name: 'appendLog',
    lua: new URL('./append-log.lua', import.meta.url),
    keys: ['lines', 'count', 'followed'],
    args: { mostLines: 'number', mostBytes: 'number', keepS: 'number', added: 'texts', logged: 'signal' },
    reply: flag,
  },
  { logged: (isAnnounced) => isAnnounced },
)

const readLogScript = defineScript({
  name: 'readLog',
  lua: new URL('./read-log.lua', import.meta.url),
  keys: ['lines', 'count'],
  args: { had: 'text', most: 'number' },
  /** How many lines there ever were, the number before the first one returned, the lines. */
  reply: row({ ever: number, first: number, lines: list(text) }),
})

/** Both write nothing of an endpoint that was forgotten. */
const appendEventsScript = defineScript({
  name: 'appendEvents',
  lua: new URL('../endpoints/append-events.lua', import.meta.url),
  keys: ['events', 'forgotten'],
  args: { most: 'number', texts: 'texts' },
  reply: nothing,
})

const putStatusScript = defineScript({
  name: 'putStatus',
  lua: new URL('../endpoints/put-status.lua', import.meta.url),
  keys: ['status', 'forgotten'],
  args: { text: 'text' },
  reply: nothing,
})

const toLogLine = (stored: string): StoredLine => JSON.parse(stored)

const MAX_LOG_LINES = 1000
/** A thousand lines of ordinary length weigh a tenth of this. */
const MAX_LOG_BYTES = 2 * 1024 * 1024
const KEEP_LOGS_S = 60 * 60
const MAX_EVENTS = 1000

export function createWorkerLogStore({ client, keys, run }: StoreContext): WorkerLogStore {
  async function readAfter(...[workerId, source, had]: Parameters<WorkerLogStore['readAfter']>) {
    const log = keys.workerLog(workerId, source)
    const { ever, first, lines } = await run(readLogScript, { ...log, had: String(had ?? ''), most: MAX_LOG_LINES })
    return { ever, lines: lines.map((stored, index) => ({ ...toLogLine(stored), number: first + index + 1 })) }
  }

  return {
    async append(workerId, source, lines) {
      const newest = lines.slice(-MAX_LOG_LINES)
      if (newest.length === 0) return
      const logged = { kind: 'worker-logged', workerId } as const
      const log = { ...keys.workerLog(workerId, source), followed: keys.workerLogFollowed(workerId) }
      const bounds = { mostLines: MAX_LOG_LINES, mostBytes: MAX_LOG_BYTES, keepS: KEEP_LOGS_S }
      const added = newest.map(({ line, ...rest }) => JSON.stringify({ ...rest, line: toLine(line) }))
      await run(appendLogScript, { ...log, ...bounds, added, logged })
    },

    async read(workerId, source, tail) {
      if (tail <= 0) return []
      const lines = await client.lrange(keys.workerLog(workerId, source).lines, -tail, -1)
      return lines.map(toLogLine)
    },

    readAfter,

    async follow(workerId, forMs) {
      await client.set(keys.workerLogFollowed(workerId), '1', 'PX', forMs)
    },
  }
}

export function createEventStore({ client, keys, run }: StoreContext): EventStore {
  return {
    async append(...events) {
      const writes = [...Map.groupBy(events, ({ endpointId }) => endpointId)].map(([endpointId, own]) => {
        const texts = own.slice(-MAX_EVENTS).map((event) => JSON.stringify(event))
        const [written, forgotten] = [keys.of(endpointId, 'events'), keys.of(endpointId, 'forgotten')]
        return run(appendEventsScript, { events: written, forgotten, most: MAX_EVENTS, texts })
      })
      await Promise.all(writes)
    },

    async list(endpointId, limit) {
      if (limit <= 0) return []
      const events = await client.lrange(keys.of(endpointId, 'events'), -limit, -1)
      return events.map((stored): EndpointEvent => JSON.parse(stored))
    },
  }
}

export function createStatusStore({ client, keys, run }: StoreContext): StatusStore {
  return {
    async put(endpointId, status) {
      const forgotten = keys.of(endpointId, 'forgotten')
      await run(putStatusScript, { status: keys.of(endpointId, 'status'), forgotten, text: JSON.stringify(status) })
    },

    async get(endpointId) {
      const stored = await client.get(keys.of(endpointId, 'status'))
      if (stored === null) return undefined
      const { at, throttled, reason, message, unhealthy, nextTryAt }: ScalerStatus = JSON.parse(stored)
      return { at, throttled, reason, message, unhealthy, nextTryAt }
    },
  }
}
