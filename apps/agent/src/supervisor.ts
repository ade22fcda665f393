// Starts runner/supervisor.py and communicates with it: JSON lines to its stdin, reports from its fd 3, one unix socket to which each runner child
// connects. All files are in a private 0700 directory. When the supervisor dies, its child dies too.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { readBoard, type BoardNote } from './exit-message.ts'
import { openOutputPipe, type OutputPipe } from './output-pipe.ts'
import { createChildRegistry, type ChildRegistry, type RunnerChild } from './runner-child.ts'

/** Maximum time for Python to start. After it Python is killed, and the job's error says so. */
const START_LIMIT_MS = 60_000

export interface SupervisorOptions {
  readonly python: string
  readonly runnerDir: string
  readonly vendorDir: string
  /** A new directory. Its path must be short enough for a unix socket. */
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly writeThrough: (chunk: Buffer) => void
}

export interface Supervisor {
  readonly pythonVersion: string
  readonly output: OutputPipe
  readonly isAlive: () => boolean
  /** @throws Error with one sentence if the child ends before it is connected. */
  fork(): Promise<RunnerChild>
  /** The environment of all later forks. */
  takeOn(env: Readonly<Record<string, string>>): void
  /** The phase in which a child died. */
  boardOf(child: RunnerChild): BoardNote
  /** Sends SIGKILL to the child and all of its descendants; resolves when they have ended. */
  kill(child: RunnerChild): Promise<void>
  /** Kills it: the next one imports anew. Its children must have ended. */
  discard(): Promise<void>
  /** Ends the supervisor, which kills all of its descendants first. */
  end(): Promise<void>
}

interface Report {
  readonly kind: 'ready' | 'forked' | 'exited'
  readonly generation: number
  readonly python: string
  readonly exitCode: number | null
  readonly signal: string | null
}

/** @throws Error with one sentence when Python cannot be started. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  const socketPath = join(options.directory, 'sock')
  const fifoPath = join(options.directory, 'out')
  const secret = randomBytes(12).toString('hex')
  const registry = createChildRegistry()
  const server = createServer((socket) => registry.accept(socket))
  server.listen(socketPath)
  const args = [join(options.runnerDir, 'supervisor.py'), socketPath, fifoPath, secret, options.vendorDir]
  // In a session of its own, so that Ctrl-C in a terminal reaches only the agent, which drains.
  const child = spawn(options.python, args, { env: options.env, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], detached: true })
  const closed = watchEnd(child, registry)
  void closed.then(() => server.close())
  const pythonVersion = await awaitReady(child, closed, registry)
  const output = openOutputPipe({ fifoPath, secret, writeThrough: options.writeThrough })
  // Reads the rest of the pipe before closing it.
  void closed.then(() => setTimeout(() => output[Symbol.dispose](), 50))
  return createSupervisor({ child, closed, registry, pythonVersion, output, directory: options.directory })
}

interface SupervisorParts {
  readonly child: ChildProcess
  readonly closed: Promise<string>
  readonly registry: ChildRegistry
  readonly pythonVersion: string
  readonly output: OutputPipe
  readonly directory: string
}

function createSupervisor({ child, closed, registry, pythonVersion, output, directory }: SupervisorParts): Supervisor {
  let generation = 0
  const isAlive = () => child.exitCode === null && child.signalCode === null
  const command = (op: 'fork' | 'kill', of: number) => {
    if (isAlive()) stdinOf(child).write(`${JSON.stringify({ op, generation: of })}\n`)
    else registry.markAllLost()
  }
  return {
    pythonVersion,
    output,
    isAlive,
    async fork() {
      generation += 1
      output.followFirst()
      const connected = registry.expect(generation)
      command('fork', generation)
      return connected
    },
    takeOn(env) {
      if (isAlive()) stdinOf(child).write(`${JSON.stringify({ op: 'environment', env })}\n`)
    },
    boardOf: (target) => readBoard(join(directory, `board-${target.generation}`)),
    async kill(target) {
      command('kill', target.generation)
      await target.exited
    },
    async discard() {
      child.kill('SIGKILL')
      await closed
    },
    async end() {
      stdinOf(child).end()
      await closed
    },
  }
}

function stdinOf(child: ChildProcess): Writable {
  return child.stdin as Writable
}

/** Resolves with the exit. The first stderr lines, before the pipe is open, explain a failed start. */
async function watchEnd(child: ChildProcess, registry: ChildRegistry): Promise<string> {
  let words = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (words = `${words}${chunk}`.slice(-2000)))
  child.stdin?.on('error', () => undefined)
  const ended = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  registry.markAllLost()
  return [ended, words.trim()].filter((part) => part !== '').join(': ')
}

/** Resolves with Python's version at the first report; later reports go to the registry of children. */
async function awaitReady(child: ChildProcess, closed: Promise<string>, registry: ChildRegistry): Promise<string> {
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      const report = JSON.parse(line) as Report
      if (report.kind === 'ready') resolve(report.python)
      if (report.kind === 'exited') registry.markExited(report.generation, { ...report, supervisorLost: false })
    })
  })
  const failed = closed.then((why) => {
    throw new Error(`Python could not be started in this worker: ${why}`)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
  return Promise.race([ready, failed]).finally(() => clearTimeout(timer))
}
