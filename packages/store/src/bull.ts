// All that we take from BullMQ: its structures, and how a job is made active under its lock. One BullMQ backend per endpoint,
// all on one shared connection: BullMQ's Worker class would open a blocking connection per queue, which a gateway that is woken by
// signals never uses. So an idle endpoint costs no connection and no command.
import { QueueKeys, RedisConnection, RedisQueueBackend, createIORedisClient } from 'bullmq'
import type { JobJson } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

export interface ActiveJob {
  readonly id: string
  readonly data: string
  readonly timestamp: number
  readonly processedOn: number
  readonly attemptsStarted: number
  /** Workers that held it before it was retried. */
  readonly notFor: readonly string[]
}

export interface Queue {
  /** The next job, now active and locked with `token` for the lease, and marked as last held by it; undefined when none waits. */
  next(token: string): Promise<ActiveJob | undefined>
  /** Every key that BullMQ may have made for the queue itself (not those of jobs). */
  readonly keys: readonly string[]
}

export interface Queues {
  of(endpointId: string): Queue
  forget(endpointId: string): void
}

export function createQueues(deps: { client: Redis; keys: Keys; leaseMs: number; onError: (error: Error) => void }): Queues {
  const connection = new RedisConnection(createIORedisClient(deps.client), { shared: true, blocking: false, skipVersionCheck: true })
  connection.on('error', () => undefined) // told by the connection's own listener already
  const names = new QueueKeys(deps.keys.prefix)
  const queues = new Map<string, Queue>()

  const open = (endpointId: string): Queue => {
    const name = deps.keys.queueName(endpointId)
    const keys = names.getKeys(name)
    const options = { prefix: deps.keys.prefix, lockDuration: deps.leaseMs, connection: {} }
    const backend = new RedisQueueBackend(connection, name, keys, (type) => names.toKey(name, type), options, undefined, false)
    return createQueue(backend, Object.values(keys))
  }
  return {
    of(endpointId) {
      const queue = queues.get(endpointId) ?? open(endpointId)
      queues.set(endpointId, queue)
      return queue
    },
    forget: (endpointId) => void queues.delete(endpointId),
  }
}

function createQueue(backend: RedisQueueBackend, keys: readonly string[]): Queue {
  return {
    keys,
    async next(token) {
      const [job, id] = (await backend.moveToActive(token, token)) as [JobJson | null | undefined, string]
      if (job === null || job === undefined) return undefined
      return {
        id,
        data: job.data,
        timestamp: job.timestamp,
        processedOn: job.processedOn ?? job.timestamp,
        attemptsStarted: job.attemptsStarted,
        notFor: (job.opts as { notFor?: readonly string[] }).notFor ?? [],
      }
    },
  }
}
