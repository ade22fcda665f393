// One JSON line per event on stdout. Writes are buffered for at most a quarter of a second, so that a busy gateway does not wait for its log.
// `flushLogger` empties the buffer before the process ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { pino, type Logger } from 'pino'

export type { Logger } from 'pino'

const FLUSH_EVERY_MS = 250
const BUFFER_BYTES = 8192
/** Maximum buffer size if no process reads the output. */
const MOST_BYTES = 4 * 1024 * 1024
/** The first flush may meet a write under way, the next one writes what had to wait for it, which may take two writes. */
const FLUSHES = 3
const LONGEST_FLUSH_MS = 1000

const flushers = new WeakMap<Logger, () => Promise<void>>()

export function createLogger(options: { name: string; level: string }): Logger {
  const destination = pino.destination({
    fd: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_EVERY_MS,
    maxLength: MOST_BYTES,
  })
  // The reader of a pipe may end before us; that must not fail this process.
  destination.on('error', () => {})
  const log = pino(
    { name: options.name, level: options.level, base: { name: options.name }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  )
  flushers.set(log, () => new Promise((resolve) => destination.flush(() => resolve())))
  return log
}

/**
 * Writes the buffer. Also resolves if no process reads it, unlike `flushSync`, which then retries forever (sonic-boom 4.2). Only loggers from
 * `createLogger` buffer.
 */
export async function flushLogger(log: Logger): Promise<void> {
  const flush = flushers.get(log)
  if (flush !== undefined) await Promise.race([repeat(flush), sleep(LONGEST_FLUSH_MS)])
}

async function repeat(flush: () => Promise<void>): Promise<void> {
  for (let round = 0; round < FLUSHES; round += 1) await flush()
}
