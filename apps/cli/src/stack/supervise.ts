// Supervises one child process of the stack: starts, watches, restarts and stops it. It leads its own process group, so that Ctrl-C at the terminal
// reaches it only through us, and it has a channel to us, so that it ends when we are killed.
// Failure direction: an exit before the child was ever up, or one that says that a restart does not help, is reported to the caller; after any
// other exit the child is restarted with increasing pauses.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { aborted, EXIT_UNFIT } from '@runyard/kit'
import { createLogFile } from './log-file.ts'

export interface ChildSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
  /** Only our own Node processes use a channel; it also ends them when we are killed. */
  readonly onMessage?: (message: unknown) => void
  /** SIGKILL follows SIGTERM after this time. */
  readonly graceMs: number
  /** Sends SIGKILL at once. */
  readonly kill?: AbortSignal | undefined
}

export interface Supervised extends AsyncDisposable {
  pid(): number | undefined
  /** Rejects with the last output of a child that died before `markUp`, or that reports that a restart does not help. */
  readonly failed: Promise<never>
  /** From now on the child is restarted when it dies, if a restart can help. */
  markUp(): void
  /** SIGKILL without a grace period. */
  kill(): void
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const STABLE_AFTER_MS = 30_000
const FINAL = `exit code ${EXIT_UNFIT}`

export async function supervise(spec: ChildSpec, onNews: (line: string) => void): Promise<Supervised> {
  const log = createLogFile(spec.logFile, { onTrouble: onNews })
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const stop = new AbortController()
  let child = launch(spec, log)
  let isUp = false

  async function keepAlive(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    for (;;) {
      const startedAt = performance.now()
      const how = await child.ended
      if (stop.signal.aborted) return
      if (!isUp || how === FINAL) {
        failure.reject(new Error(child.lastWords() || `${spec.name} ended at once (${how}); its log is ${spec.logFile}`))
        return
      }
      if (performance.now() - startedAt > STABLE_AFTER_MS) pause = FIRST_PAUSE_MS
      onNews(`${spec.name} died (${how}) and is started again`)
      await sleep(pause, undefined, { signal: stop.signal }).catch(() => {})
      if (stop.signal.aborted) return
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
      child = launch(spec, log)
    }
  }

  function kill(): void {
    stop.abort()
    if (!isUp) failure.reject(new Error(`${spec.name} was killed`))
    child.process.kill('SIGKILL')
  }

  const kept = keepAlive()
  if (spec.kill !== undefined) void aborted(spec.kill).then(kill)
  return {
    pid: () => child.process.pid,
    failed: failure.promise,
    markUp() {
      isUp = true
    },
    kill,
    async [Symbol.asyncDispose]() {
      stop.abort()
      child.process.kill('SIGTERM')
      const hard = setTimeout(() => child.process.kill('SIGKILL'), spec.graceMs)
      await child.ended
      await kept
      clearTimeout(hard)
    },
  }
}

function launch(spec: ChildSpec, log: (data: Buffer) => void) {
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(spec.onMessage === undefined ? [] : (['ipc'] as const))],
  })
  if (spec.onMessage !== undefined) child.on('message', spec.onMessage)
  let words = ''
  const listen = (data: Buffer): void => {
    log(data)
    words = (words + data.toString()).slice(-2000)
  }
  // Our own programs log there, and Redis writes there why it ends.
  child.stdout?.on('data', spec.onMessage === undefined ? listen : log)
  child.stderr?.on('data', listen)
  /** How it ended: `exit code 1`, `SIGKILL`. */
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit code ${code}`)
    })
  })
  return { process: child, ended, lastWords: (): string => words.trim().split('\n').at(-1) ?? '' }
}
