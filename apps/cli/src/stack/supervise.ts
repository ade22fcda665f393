// One child process of the stack: started, watched, started again when it dies, stopped. It leads a process group of its own, so that
// Ctrl-C at the terminal reaches it only through us, and it holds a channel to us, so that it ends when we are killed.
// Failure direction: dying before it was ever up is told to the caller; later deaths are mended with growing pauses.
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'

export interface ChildSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly logFile: string
  /** Only our own Node processes speak over a channel. */
  readonly channel: boolean
  /** SIGKILL follows SIGTERM after this long. */
  readonly graceMs: number
}

export interface Supervised extends AsyncDisposable {
  readonly name: string
  pid(): number | undefined
  /** Times it was started again. */
  restarts(): number
  /** Rejects with the last words of a child that died before `markUp`. */
  readonly failed: Promise<never>
  /** From now on a death is mended, not told. */
  markUp(): void
  /** No grace: SIGKILL. */
  kill(): void
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const STABLE_AFTER_MS = 30_000
const LARGEST_LOG_BYTES = 20 * 1024 * 1024

export async function supervise(spec: ChildSpec, onRestart: (line: string) => void): Promise<Supervised> {
  await rotate(spec.logFile)
  const log = createWriteStream(spec.logFile, { flags: 'a', mode: 0o600 })
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const state = { up: false, stopping: false, restarts: 0, pause: FIRST_PAUSE_MS }
  let current: RunningChild
  let timer: NodeJS.Timeout | undefined

  function start(): void {
    const child = launch(spec, log)
    current = child
    const startedAt = performance.now()
    void child.ended.then((how) => {
      if (state.stopping) return
      if (!state.up) {
        failure.reject(new Error(child.lastWords() || `${spec.name} ended at once (${how}); its log is ${spec.logFile}`))
        return
      }
      if (performance.now() - startedAt > STABLE_AFTER_MS) state.pause = FIRST_PAUSE_MS
      onRestart(`${spec.name} died (${how}) and is started again`)
      timer = setTimeout(() => {
        state.restarts += 1
        start()
      }, state.pause)
      state.pause = Math.min(state.pause * 2, LONGEST_PAUSE_MS)
    })
  }

  start()
  return {
    name: spec.name,
    pid: () => current.process.pid,
    restarts: () => state.restarts,
    failed: failure.promise,
    markUp() {
      state.up = true
    },
    kill() {
      state.stopping = true
      clearTimeout(timer)
      current.process.kill('SIGKILL')
    },
    async [Symbol.asyncDispose]() {
      state.stopping = true
      clearTimeout(timer)
      current.process.kill('SIGTERM')
      const hard = setTimeout(() => current.process.kill('SIGKILL'), spec.graceMs)
      await current.ended
      clearTimeout(hard)
      await new Promise<void>((resolve) => {
        log.end(resolve)
      })
    },
  }
}

interface RunningChild {
  readonly process: ChildProcess
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>
  lastWords(): string
}

function launch(spec: ChildSpec, log: WriteStream): RunningChild {
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(spec.channel ? (['ipc'] as const) : [])],
  })
  let words = ''
  child.stdout?.on('data', (data: Buffer) => log.write(data))
  child.stderr?.on('data', (data: Buffer) => {
    log.write(data)
    words = (words + data.toString()).slice(-2000)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit code ${code}`)
    })
  })
  return { process: child, ended, lastWords: () => words.trim().split('\n').at(-1) ?? '' }
}

async function rotate(file: string): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }))
  if (size > LARGEST_LOG_BYTES) await rename(file, `${file}.1`)
}
