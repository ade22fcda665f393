// All that we take from BullMQ: how a job is added and made active under its lock. One BullMQ backend per endpoint,
// all on one shared connection: BullMQ's Worker class would open a blocking connection per queue, which a gateway that is woken by
// signals never uses. So an idle endpoint costs no connection and no command.
import { QueueKeys, RedisConnection, RedisQueueBackend, createIORedisClient } from 'bullmq'
import type { JobJson } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

export interface QueuedJob {
  readonly id: string
  /** `sync` or `async`: the scripts choose the retention by it. */
  readonly name: 'sync' | 'async'
  /** JSON. */
  readonly data: string
  readonly timestamp: number
  readonly lowPriority: boolean
  readonly executionTimeoutMs: number | undefined
  readonly ttlMs: number | undefined
  /** The receiver's host and port: in its lane the job's end will be told (`outbox.ts`). */
  readonly webhookLane: string | undefined
}

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
  add(job: QueuedJob): Promise<void>
  /** The next job, now active and locked with `token` for the lease, and marked as last held by it; undefined when none waits. */
  next(token: string): Promise<ActiveJob | undefined>
  /** Every key that BullMQ may have made for the queue itself (not those of jobs). */
  readonly keys: readonly string[]
}

export interface Queues {
  of(endpointId: string): Queue
  forget(endpointId: string): void
}

/** Below every normal job, which has none; the lowest number runs first among those that have one. */
const LOW_PRIORITY = 1
/** BullMQ keeps a stream of events per queue that nobody reads here. */
const MAX_EVENTS = 100

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

/** What our scripts and sweeps need to know of a job without reading its data. */
export function jobOptions({ lowPriority, executionTimeoutMs, ttlMs, webhookLane }: QueuedJob) {
  return { priority: lowPriority ? LOW_PRIORITY : undefined, executionTimeoutMs, ttlMs, webhook: webhookLane }
}

function createQueue(backend: RedisQueueBackend, keys: readonly string[]): Queue {
  let isCapped = false
  const capEvents = () => {
    if (isCapped) return
    isCapped = true
    backend.setQueueMeta({ 'opts.maxLenEvents': MAX_EVENTS }).catch(() => {
      isCapped = false
    })
  }
  return {
    keys,
    async add(job) {
      capEvents()
      await backend.addJob(
        { id: job.id, name: job.name, data: job.data, timestamp: job.timestamp, opts: jobOptions(job) } as unknown as JobJson,
        job.id,
      )
    },
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
