// The process: SIGTERM or SIGINT drains, a second one ends at once (exit code 143, as a killed process has it); a drained agent exits 0.
import { runAgent } from './agent.ts'
import { createLog } from './log.ts'
import { readSettings } from './settings.ts'

const log = createLog(process.stdout)
const drain = new AbortController()
const kill = new AbortController()

const onSignal = (): void => {
  if (drain.signal.aborted) kill.abort()
  drain.abort()
}
process.on('SIGTERM', onSignal)
process.on('SIGINT', onSignal)
// A follower of the output that goes away must not take the worker with it.
process.stdout.on('error', () => undefined)

try {
  const settings = readSettings(process.env)
  const writeThrough = (chunk: Buffer): void => void process.stdout.write(chunk)
  await runAgent({ settings, env: process.env, log, writeThrough }, { drain: drain.signal, kill: kill.signal })
  process.exitCode = kill.signal.aborted ? 143 : 0
} catch (error) {
  log.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
// Idle keep-alive sockets and the like do not keep a worker alive.
process.exit()
