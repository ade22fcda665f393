// The border of this package: what ioredis, BullMQ and Redis throw becomes RunyardError('store_unavailable') when Redis is away or
// refuses writes. Any other error is a bug and passes through, without the arguments of the command, because inputs and secrets must not be logged.
import { RunyardError } from '@runyard/schema'
import { STALE_TERM, TOO_LATE } from './scripts/run-script.ts'

/** Replies by which a Redis that is there says that it cannot serve now. */
const REFUSALS = [
  'READONLY',
  'OOM',
  'MISCONF',
  'LOADING',
  'BUSY',
  'NOREPLICAS',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'EXECABORT',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'ERR max number of clients',
] as const

const DISCONNECTS = [
  "Stream isn't writeable",
  'Connection is closed',
  'Command aborted due to connection close',
  'Reached the max retries per request limit',
  'connect ETIMEDOUT',
] as const

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])

const RETRY_AFTER_S = 2

function isSocketError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODES.has(error.code)
}

/** The same error, or the coded one where it means that Redis cannot serve. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RunyardError) return error
  forgetArguments(error)
  const refusal = REFUSALS.find((word) => error.message.startsWith(word))
  if (refusal !== undefined) {
    return new RunyardError('store_unavailable', `Redis refuses to serve right now (${refusal}).`, {
      cause: error,
      retryAfterS: RETRY_AFTER_S,
    })
  }
  if (error.message.startsWith(STALE_TERM)) return new RunyardError('stale_term', 'Another scaler leads by now.', { cause: error })
  if (error.message.startsWith(TOO_LATE)) {
    return new RunyardError('store_unavailable', 'Redis answers too slowly right now.', { cause: error, retryAfterS: RETRY_AFTER_S })
  }
  if (isSocketError(error) || DISCONNECTS.some((text) => error.message.includes(text))) {
    return new RunyardError('store_unavailable', 'Redis cannot be reached right now.', { cause: error, retryAfterS: RETRY_AFTER_S })
  }
  return error
}

/** ioredis hangs the whole command on the error of its reply; the name is enough to find it. */
function forgetArguments(error: Error): void {
  if ('command' in error) error.command = (error.command as { readonly name?: string }).name
}

type AsyncFunctions = Record<string, (...args: never[]) => Promise<unknown>>

/** The same functions with their errors translated. */
export function translateErrors<T extends { [K in keyof T]: (...args: never[]) => Promise<unknown> }>(functions: T): T {
  const wrap =
    (call: AsyncFunctions[string]) =>
    async (...args: never[]) => {
      try {
        return await call(...args)
      } catch (error) {
        throw toStoreError(error)
      }
    }
  return Object.fromEntries(
    Object.entries<AsyncFunctions[string]>(functions as AsyncFunctions).map(([name, call]) => [name, wrap(call)]),
  ) as unknown as T
}
