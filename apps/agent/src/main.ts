// The agent's process. The first SIGTERM or SIGINT drains, a second one ends at once with exit code 143. A drained agent exits with 0.
import { errorMessage } from '@runyard/schema/errors'
import { runAgent } from './agent.ts'
import { adoptBeside } from './beside.ts'
import { createLog } from './log.ts'
import { readSettings } from './settings.ts'
import { isStandby, standBy } from './standby.ts'

const log = createLog(process.stdout)
const drain = new AbortController()
const kill = new AbortController()

const onSignal = (): void => {
  if (drain.signal.aborted) kill.abort()
  else log.info('asked to end: takes no further job, and ends after what runs')
  drain.abort()
}
process.on('SIGTERM', onSignal)
process.on('SIGINT', onSignal)
// A reader of the output that closes the pipe must not end the worker.
process.stdout.on('error', () => undefined)

function endWith(error: unknown): never {
  log.error(errorMessage(error))
  process.exit(1)
}

try {
  const writeThrough = (chunk: Buffer): void => void process.stdout.write(chunk)
  const isParked = isStandby(process.env)
  const parked = isParked
    ? await standBy({ env: process.env, input: process.stdin, writeThrough, signal: drain.signal })
    : await adoptBeside(process.env, writeThrough)
  // The job that it may have taken is tried again on another worker.
  parked?.limited.catch(endWith)
  if (parked !== undefined || !isParked) {
    const env = parked?.env ?? process.env
    await runAgent({ settings: readSettings(env), env, log, writeThrough, parked }, { drain: drain.signal, kill: kill.signal })
  }
  process.exitCode = kill.signal.aborted ? 143 : 0
} catch (error) {
  endWith(error)
}
// Idle keep-alive sockets and the like do not keep a worker alive.
process.exit()
