// Starts Python programs as forks of one process per environment, which has imported the SDK's third-party modules (`fork_server.py`): half of a
// Flash scenario's processor time was imports. Each program still imports the unmodified SDK itself, in a session of its own. Where processes
// cannot be awaited that way (macOS), a program is started as usual.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { controlsOf, dieWithUs, startChild, type Child } from './child.ts'
import { venvPython, type VenvName } from './venvs.ts'

export interface Program {
  readonly name: string
  readonly venv: VenvName
  /** A file, its path from `cwd`, and its arguments. */
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface StartedProgram extends Child {
  readonly stdout: () => string
  readonly stderr: () => string
}

const SERVER = join(import.meta.dirname, 'fork_server.py')

interface Reply {
  readonly id?: number
  readonly pid?: number
  readonly code?: number | null
}

interface Waiting {
  readonly started: PromiseWithResolvers<number>
  readonly ended: PromiseWithResolvers<number | null>
}

interface ForkServer {
  readonly fork: (request: object) => Waiting
}

/** By what a server's programs share: the environment, and the certificates that modules read when they are imported. */
const servers = new Map<string, ForkServer>()

/** The program's output is collected until it has ended and its output was read. */
export async function startProgram(program: Program): Promise<StartedProgram> {
  if (process.platform !== 'linux') return startAsUsual(program)
  const server = serverFor(program)
  const directory = await mkdtemp(join(tmpdir(), 'runyard-program-'))
  const [stdout, stderr] = [join(directory, 'stdout'), join(directory, 'stderr')]
  const { started, ended } = server.fork({ argv: program.argv, cwd: program.cwd, env: program.env, stdout, stderr })
  const pid = await started.promise
  let kept: { readonly stdout: string; readonly stderr: string } | undefined
  let running = true
  const exited = ended.promise.then(async (code) => {
    running = false
    kept = { stdout: textOf(stdout), stderr: textOf(stderr) }
    await rm(directory, { recursive: true, force: true })
    return code
  })
  const outputs = { stdout: () => kept?.stdout ?? textOf(stdout), stderr: () => kept?.stderr ?? textOf(stderr) }
  const output = (): string => outputs.stdout() + outputs.stderr()
  return { name: program.name, ...outputs, output, ...controlsOf({ pid, exited, isRunning: () => running }) }
}

function startAsUsual({ name, venv, argv, cwd, env }: Program): StartedProgram {
  const child = startChild({ name, command: venvPython(venv), args: ['-u', ...argv], cwd, env })
  return { ...child, stdout: child.output, stderr: () => '' }
}

function serverFor(program: Program): ForkServer {
  const key = `${program.venv} ${program.env['SSL_CERT_FILE']}`
  const server = servers.get(key) ?? startServer(program, () => void servers.delete(key))
  servers.set(key, server)
  return server
}

function startServer({ venv, env }: Program, onEnd: () => void): ForkServer {
  // The variables of the program are not yet known to the modules, except where certificates are.
  const { PATH = '', SSL_CERT_FILE } = env
  const child = spawn(...dieWithUs(venvPython(venv), ['-u', SERVER]), {
    env: { PATH, HOME: tmpdir(), ...(SSL_CERT_FILE === undefined ? {} : { SSL_CERT_FILE }) },
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  createInterface(child.stdout).on('line', (line) => {
    const { id, pid, code } = JSON.parse(line) as Reply
    if (id === undefined) return
    if (pid !== undefined) waiting.get(id)?.started.resolve(pid)
    if (code !== undefined) waiting.get(id)?.ended.resolve(code)
  })
  child.once('exit', (code, signal) => {
    onEnd()
    for (const { started, ended } of waiting.values()) {
      started.reject(new Error(`the fork server of ${venv} ended with ${signal ?? code}`))
      ended.resolve(null)
    }
  })
  return {
    fork(request) {
      lastId += 1
      const entry = { started: Promise.withResolvers<number>(), ended: Promise.withResolvers<number | null>() }
      waiting.set(lastId, entry)
      child.stdin.write(`${JSON.stringify({ ...request, id: lastId })}\n`)
      return entry
    },
  }
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
