// The two connections to Redis: one for commands, one for signals. Commands fail at once while it is away (no queue of ours piles up),
// and are never sent twice. Reconnecting is retried forever, at most a second apart. A connection without a reply for too long is closed, and what
// waits there fails: it may be dead (a firewall dropped it, the machine is gone), and TCP would report that only after a quarter of an hour. The same
// applies to a Redis that hangs; later calls fail at once until it answers. Replies come in order, so commands need no timers of their own.
import { RunyardError } from '@runyard/schema'
import { Redis, type RedisOptions } from 'ioredis'

const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // In-flight commands are rejected as soon as the connection is lost: resending a take would lease two jobs.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  connectTimeout: 3000,
  keepAlive: 10_000,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 1000),
  // After a failover the old primary answers READONLY: look for the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions

export interface ConnectOptions {
  readonly redisUrl: string
  /** The name in Redis' `CLIENT LIST`. */
  readonly name: string
  readonly waitMs: number
  /** How long Redis may be silent while commands wait. */
  readonly answerMs: number
  readonly onError: (error: Error) => void
}

/** Without the cause: it carries the URL, with the password in it. */
function checkUrl(create: () => Redis): Redis {
  try {
    return create()
  } catch {
    throw new RunyardError(
      'bad_request',
      'The setting redis.url is no URL such as redis://user:password@host:6379/0, and no path of a socket.',
    )
  }
}

/**
 * Opens a connection that heals itself.
 * @throws RunyardError('store_unavailable') when Redis does not answer within `waitMs`; 'bad_request' for what is no URL.
 */
export async function connect({ redisUrl, name, waitMs, answerMs, onError }: ConnectOptions): Promise<Redis> {
  const options = { ...OPTIONS, connectionName: name, socketTimeout: answerMs }
  const client = checkUrl(() => new Redis(redisUrl, options))
  writeInBursts(client)
  let lastError: Error | undefined
  client.on('error', (error: Error) => {
    lastError = error
    onError(error)
  })
  const { promise: ready, resolve, reject } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => reject(new Error('timeout')), waitMs)
  client.once('ready', () => resolve(undefined))
  client.connect().catch(() => undefined)
  try {
    await ready
    return client
  } catch {
    client.disconnect()
    const why = lastError === undefined ? 'no answer' : lastError.message || lastError.name
    throw new RunyardError('store_unavailable', `Redis at ${withoutSecrets(redisUrl)} cannot be reached: ${why}.`, { retryAfterS: 2 })
  } finally {
    clearTimeout(timer)
  }
}

/** What is asked in one turn of the event loop leaves in one write: each is a system call here and one more in Redis. */
function writeInBursts(client: Redis): void {
  const send = client.sendCommand.bind(client)
  client.sendCommand = (...command) => {
    const { stream } = client
    if (stream?.writableCorked === 0) {
      stream.cork()
      setImmediate(() => stream.uncork())
    }
    return send(...command)
  }
}

/** What is known of Redis' answers on an open connection, which may be another one by then. */
export interface Answers {
  /** How long Redis has been silent. */
  readonly silentMs: () => number
  /** Until when a command that is sent now is certainly waited for, by the clock of Redis. */
  readonly awaitedUntil: () => number
  /** `redisMs`: the time that Redis has just told. */
  readonly noteClock: (redisMs: number) => void
}

/** Of `answerMs`: the rest is for the answer's way and for a clock that is not exactly known. */
const AWAITED_SHARE = 0.9

export function followAnswers(client: Redis, answerMs: number): Answers {
  let heardAt = performance.now()
  /** When the first of the commands that now wait was sent. */
  let firstSentAt = heardAt
  // By a clock that nobody sets. That of Redis is taken to be the same as ours until Redis has told it.
  let redisAheadMs = performance.timeOrigin
  const listen = (): void => void client.stream.on('data', () => (heardAt = performance.now()))
  const noteClock = (redisMs: number): void => void (redisAheadMs = redisMs - performance.now())
  const askClock = (): void =>
    void client.time().then(([seconds, micros]) => noteClock(Number(seconds) * 1000 + Number(micros) / 1000), ignore)
  listen()
  askClock()
  client.on('connect', listen)
  client.on('ready', askClock)
  const send = client.sendCommand.bind(client)
  client.sendCommand = (...command) => {
    if (client.commandQueue.length === 0) firstSentAt = performance.now()
    return send(...command)
  }
  return {
    silentMs: () => performance.now() - heardAt,
    awaitedUntil: () => {
      const silentSince = client.commandQueue.length === 0 ? performance.now() : Math.max(heardAt, firstSentAt)
      return Math.floor(silentSince + answerMs * AWAITED_SHARE + redisAheadMs)
    },
    noteClock,
  }
}

const ignore = (): void => undefined

function withoutSecrets(redisUrl: string): string {
  if (!URL.canParse(redisUrl)) return 'the configured address'
  const url = new URL(redisUrl)
  return url.host === '' ? url.pathname : `${url.host}${url.pathname}`
}
