// Starts runner/supervisor.py, or adopts one that was started beside the agent, and communicates with it: JSON lines to its stdin, reports from its
// fd 3, one unix socket to which each runner child connects. All files are in a private 0700 directory. When the supervisor dies, its child dies too.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
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
  const secret = randomBytes(12).toString('hex')
  const { socketPath, fifoPath } = pathsIn(options.directory)
  const args = [join(options.runnerDir, 'supervisor.py'), socketPath, fifoPath, secret, options.vendorDir]
  const start = (): PythonProcess => spawnPython(options, args)
  return connect(start, { ...options, secret })
}

/** What runner/runyard_runner/launch.py says of the supervisor that it started. */
export interface StartedBeside {
  readonly pid: number
  /** Descriptors of this process. */
  readonly commands: number
  readonly reports: number
  readonly runtimeDir: string
  readonly secret: string
}

/** @throws Error with one sentence when its Python has ended. */
export async function adoptSupervisor(
  { secret, ...started }: StartedBeside,
  options: Pick<SupervisorOptions, 'directory' | 'writeThrough'>,
): Promise<Supervisor> {
  return connect(() => adopt(started), { ...options, secret })
}

const pathsIn = (directory: string) => ({ socketPath: join(directory, 'sock'), fifoPath: join(directory, 'out') })

type Connection = Pick<SupervisorOptions, 'directory' | 'writeThrough'> & { readonly secret: string }

async function connect(start: () => PythonProcess, { directory, writeThrough, secret }: Connection): Promise<Supervisor> {
  const { socketPath, fifoPath } = pathsIn(directory)
  const registry = createChildRegistry()
  const server = createServer((socket) => registry.accept(socket))
  server.listen(socketPath)
  const python = start()
  const { ended } = python
  void ended.then(() => registry.markAllLost())
  void ended.then(() => server.close())
  const pythonVersion = await awaitReady(python, registry)
  const output = openOutputPipe({ fifoPath, secret, writeThrough })
  // Reads the rest of the pipe before closing it.
  void ended.then(() => setTimeout(() => output[Symbol.dispose](), 50))
  return createSupervisor({ python, registry, pythonVersion, output, directory })
}

interface PythonProcess {
  readonly commands: Writable
  readonly reports: Readable
  readonly isAlive: () => boolean
  readonly kill: () => void
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
}

/** In a session of its own, so that Ctrl-C in a terminal reaches only the agent, which drains. */
function spawnPython({ python, env }: Pick<SupervisorOptions, 'python' | 'env'>, args: readonly string[]): PythonProcess {
  const child = spawn(python, args, { env, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], detached: true })
  return {
    commands: child.stdin,
    reports: child.stdio[3] as Readable,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: () => void child.kill('SIGKILL'),
    ended: watchEnd(child),
  }
}

/** Node waits only for processes that it started: the end of this one is the end of its reports, which its children do not hold. */
function adopt({ pid, commands, reports }: Omit<StartedBeside, 'secret'>): PythonProcess {
  const input = new Socket({ fd: commands, readable: false, writable: true }).on('error', () => undefined)
  const output = new Socket({ fd: reports, readable: true, writable: false }).on('error', () => undefined)
  let isAlive = true
  const ended = new Promise<string>((resolve) => {
    output.once('close', () => {
      isAlive = false
      input.destroy()
      resolve('it has ended')
    })
  })
  const kill = (): void => {
    if (isAlive) process.kill(pid, 'SIGKILL')
  }
  return { commands: input, reports: output, isAlive: () => isAlive, kill, ended }
}

interface SupervisorParts {
  readonly python: PythonProcess
  readonly registry: ChildRegistry
  readonly pythonVersion: string
  readonly output: OutputPipe
  readonly directory: string
}

function createSupervisor({ python, registry, pythonVersion, output, directory }: SupervisorParts): Supervisor {
  const { commands, isAlive, ended } = python
  let generation = 0
  const command = (op: 'fork' | 'kill', of: number) => {
    if (isAlive()) commands.write(`${JSON.stringify({ op, generation: of })}\n`)
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
      if (isAlive()) commands.write(`${JSON.stringify({ op: 'environment', env })}\n`)
    },
    boardOf: (target) => readBoard(join(directory, `board-${target.generation}`)),
    async kill(target) {
      command('kill', target.generation)
      await target.exited
    },
    async discard() {
      python.kill()
      await ended
    },
    async end() {
      commands.end()
      await ended
    },
  }
}

/** Resolves with the exit. The first stderr lines, before the pipe is open, explain a failed start. */
async function watchEnd(child: ChildProcess): Promise<string> {
  let words = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (words = `${words}${chunk}`.slice(-2000)))
  child.stdin?.on('error', () => undefined)
  const ended = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  return [ended, words.trim()].filter((part) => part !== '').join(': ')
}

/** Resolves with Python's version at the first report; later reports go to the registry of children. */
async function awaitReady({ reports, ended, kill }: PythonProcess, registry: ChildRegistry): Promise<string> {
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: reports }).on('line', (line) => {
      const report = JSON.parse(line) as Report
      if (report.kind === 'ready') resolve(report.python)
      if (report.kind === 'exited') registry.markExited(report.generation, { ...report, supervisorLost: false })
    })
  })
  const failed = ended.then((why) => {
    throw new Error(`Python could not be started in this worker: ${why}`)
  })
  const timer = setTimeout(kill, START_LIMIT_MS)
  return Promise.race([ready, failed]).finally(() => clearTimeout(timer))
}
