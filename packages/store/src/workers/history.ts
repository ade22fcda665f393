// What people read afterwards: a worker's log lines, an endpoint's events, the scaler's last word. All capped; losing the oldest is fine.
import { toLine } from '@runyard/core'
import type { EndpointEvent } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { APPEND_LOG, READ_LOG } from '../scripts/logs.ts'
import { APPEND_EVENTS, PUT_STATUS } from '../scripts/records.ts'
import type { EventStore, ScalerStatus, StatusStore, WorkerLogStore } from '../types.ts'
import type { LogSource } from './history-types.ts'

const MAX_LOG_LINES = 1000
/** A thousand lines of ordinary length weigh a tenth of this. */
const MAX_LOG_BYTES = 2 * 1024 * 1024
const KEEP_LOGS_S = 60 * 60
const MAX_EVENTS = 1000

export function createWorkerLogStore({ client, keys, run, signals }: StoreContext): WorkerLogStore {
  const keysOf = (workerId: string, source: LogSource) => [keys.workerLog(workerId, source), keys.workerLogCount(workerId, source)]

  async function readAfter(...[workerId, source, had]: Parameters<WorkerLogStore['readAfter']>) {
    const reply = (await run(READ_LOG, keysOf(workerId, source), [had ?? '', MAX_LOG_LINES])) as [number, number, readonly string[]]
    const [ever, first, lines] = reply
    return {
      ever,
      lines: lines.map((text, index) => ({ ...(JSON.parse(text) as { at: number; line: string }), number: first + index + 1 })),
    }
  }

  return {
    async append(workerId, source, lines) {
      const newest = lines.slice(-MAX_LOG_LINES)
      if (newest.length === 0) return
      const signal = { kind: 'worker-logged', workerId } as const
      const bounds = [MAX_LOG_LINES, MAX_LOG_BYTES, KEEP_LOGS_S, signals.channel, signals.encode(signal)]
      const texts = newest.map(({ line, ...rest }) => JSON.stringify({ ...rest, line: toLine(line) }))
      const announced = await run(APPEND_LOG, [...keysOf(workerId, source), keys.workerLogFollowed(workerId)], [...bounds, ...texts])
      if (announced === 1) signals.deliver(signal)
    },

    async read(workerId, source, tail) {
      if (tail <= 0) return []
      const lines = await client.lrange(keys.workerLog(workerId, source), -tail, -1)
      return lines.map((text) => JSON.parse(text) as { at: number; line: string })
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
        return run(APPEND_EVENTS, [keys.events(endpointId), keys.forgotten(endpointId)], [MAX_EVENTS, ...texts])
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
      await run(PUT_STATUS, [keys.status(endpointId), keys.forgotten(endpointId)], [JSON.stringify(status)])
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
