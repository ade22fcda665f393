// What people read afterwards: a worker's log lines, an endpoint's events, the scaler's last word. All capped; losing the oldest is fine.
import type { EndpointEvent } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { PUT_STATUS } from './scripts/records.ts'
import type { EventStore, ScalerStatus, StatusStore, WorkerLogStore } from './types.ts'

const MAX_LOG_LINES = 1000
const KEEP_LOGS_S = 60 * 60
const MAX_EVENTS = 1000

export function createWorkerLogStore({ client, keys }: StoreContext): WorkerLogStore {
  return {
    async append(workerId, source, lines) {
      const newest = lines.slice(-MAX_LOG_LINES)
      if (newest.length === 0) return
      const key = keys.workerLog(workerId, source)
      await Promise.all([
        client.rpush(key, ...newest.map((line) => JSON.stringify(line))),
        client.ltrim(key, -MAX_LOG_LINES, -1),
        client.expire(key, KEEP_LOGS_S),
      ])
    },

    async read(workerId, source, tail) {
      if (tail <= 0) return []
      const lines = await client.lrange(keys.workerLog(workerId, source), -tail, -1)
      return lines.map((text) => JSON.parse(text) as { at: number; line: string })
    },
  }
}

export function createEventStore({ client, keys }: StoreContext): EventStore {
  return {
    async append(...events) {
      const writes = [...Map.groupBy(events, ({ endpointId }) => endpointId)].flatMap(([endpointId, own]) => {
        const key = keys.events(endpointId)
        return [client.rpush(key, ...own.map((event) => JSON.stringify(event))), client.ltrim(key, -MAX_EVENTS, -1)]
      })
      await Promise.all(writes)
    },

    async list(endpointId, limit) {
      if (limit <= 0) return []
      const events = await client.lrange(keys.events(endpointId), -limit, -1)
      return events.map((text) => JSON.parse(text) as EndpointEvent)
    },
  }
}

export function createStatusStore({ client, keys, run }: StoreContext): StatusStore {
  return {
    async put(endpointId, status) {
      await run(PUT_STATUS, [keys.status(endpointId)], [JSON.stringify(status)])
    },

    async get(endpointId) {
      const text = await client.get(keys.status(endpointId))
      if (text === null) return undefined
      const { at, throttled, reason, message, unhealthy, nextTryAt } = JSON.parse(text) as Omit<
        ScalerStatus,
        'reason' | 'message' | 'nextTryAt'
      > & {
        reason?: string
        message?: string
        nextTryAt?: number
      }
      return { at, throttled, reason, message, unhealthy, nextTryAt }
    },
  }
}
