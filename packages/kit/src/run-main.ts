// The main function of all our processes: load the configuration, open a scope, wait for the signal to stop, close within a grace budget.
// `body` opens everything and returns; the process then runs until SIGTERM, SIGINT or the end of its supervisor.
// Exit codes: 0 stopped on request, 1 could not start or a bug, 2 wrong configuration, 3 unsuitable Redis (newer data, another installation),
// which a restart does not fix, 130 a second signal.
import { RunyardError, type Config } from '@runyard/schema'
import { loadConfig } from './config.ts'
import { createLogger, flushLogger, type Logger } from './logger.ts'
import { openScope, type Scope } from './scope.ts'

export interface MainContext {
  readonly config: Config
  readonly log: Logger
  readonly scope: Scope
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal
}

const GRACE_MS = 15_000
/** A supervisor does not restart a process with this exit code. */
export const EXIT_UNFIT = 3

export async function runMain(name: string, body: (context: MainContext) => Promise<void>): Promise<void> {
  const config = await configOrExit()
  const log = createLogger({ name, level: config.log.level })
  const stop = listenForStop(log)
  process.on('uncaughtException', (error) => void dieOf(error, log))
  let failure: unknown
  {
    await using scope = openScope({ graceMs: GRACE_MS, log })
    try {
      await body({ config, log, scope, signal: stop })
      await aborted(stop)
    } catch (error) {
      if (!stop.aborted) failure = error
    }
  }
  if (failure !== undefined) return dieOf(failure, log)
  log.info('stopped')
  await flushLogger(log)
  process.exit(0)
}

async function configOrExit(): Promise<Config> {
  const loaded = await loadConfig({ env: process.env, cwd: process.cwd() }).catch((error: unknown): never => {
    process.stderr.write(`${sentenceOf(error)}\n`)
    process.exit(2)
  })
  return loaded.config
}

function listenForStop(log: Logger): AbortSignal {
  const controller = new AbortController()
  const stop = (cause: string): void => {
    if (controller.signal.aborted) {
      void flushLogger(log).then(() => process.exit(130))
      return
    }
    log.info({ cause }, 'stopping')
    controller.abort()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // A killed supervisor cannot send a signal, but its end of the channel closes.
  process.once('disconnect', () => {
    if (!controller.signal.aborted) stop('supervisor gone')
  })
  return controller.signal
}

async function dieOf(error: unknown, log: Logger): Promise<never> {
  log.fatal({ err: error }, sentenceOf(error))
  await flushLogger(log)
  process.stderr.write(`${sentenceOf(error)}\n`)
  process.exit(error instanceof RunyardError && error.code === 'conflict' ? EXIT_UNFIT : 1)
}

/** The message for the user: that of our own errors, or the name and message of others. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RunyardError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

/** Resolves when the signal aborts, and at once if it already has, because its event does not fire again. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}
