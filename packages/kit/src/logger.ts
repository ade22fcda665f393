// One JSON line per event on stdout. Writes are buffered for at most a quarter of a second, so that a busy gateway does not wait
// for its log; `flushLogger` empties the buffer before the process ends.
import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

const FLUSH_EVERY_MS = 250
const BUFFER_BYTES = 8192

const flushers = new WeakMap<Logger, () => void>()

export function createLogger(options: { name: string; level: string }): Logger {
  const destination = pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_EVERY_MS })
  // The reader of a pipe may go away before us; a log that nobody reads is no reason to fail.
  destination.on('error', () => {})
  const log = pino(
    { name: options.name, level: options.level, base: { name: options.name }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  )
  flushers.set(log, () => {
    destination.flushSync()
  })
  return log
}

/** Writes out what is buffered, at once. Only loggers from `createLogger` buffer. */
export function flushLogger(log: Logger): void {
  try {
    flushers.get(log)?.()
  } catch {
    // stdout is closed or was never opened: nobody is left to tell
  }
}
