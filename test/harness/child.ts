// Child processes of the tests: their output is kept, their end is awaited, and none outlives its owner, even if that is killed. Each
// long-lived child leads its own process group, so that the processes it started end with it.
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { dieWithUs } from '@runyard/testing/die-with-us'

export { dieWithUs }

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Killed after this time; default 5 minutes. */
  readonly timeoutMs?: number
  readonly input?: string
}

/** The path of an executable, or undefined. */
export function findOnPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Runs a command to its end, whatever the exit code. */
export async function tryCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(...dieWithUs(command, args, 'TERM'), {
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 300_000,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

/** @throws with the last lines of the output if the command fails. */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(command, args, options)
  if (result.code === 0) return result.stdout
  const tail = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-15).join('\n')
  throw new Error(`${command} ${args.slice(0, 4).join(' ')} ended with ${result.code}:\n${tail}`)
}

export interface Child {
  readonly name: string
  readonly pid: number
  readonly output: () => string
  readonly exited: Promise<number | null>
  readonly isRunning: () => boolean
  /** Signals the process itself, or its whole group. */
  readonly signal: (signal: NodeJS.Signals, target?: 'process' | 'group') => void
  /** SIGTERM, then SIGKILL to the group after `graceMs`; resolves when it is gone. */
  readonly stop: (graceMs?: number) => Promise<void>
}

export interface ChildSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

const OUTPUT_LIMIT = 8 * 1024 * 1024

/** Starts a child that lives until it is stopped. */
export function startChild(spec: ChildSpec): Child {
  const child = spawn(...dieWithUs(spec.command, spec.args), {
    env: spec.env ?? process.env,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${spec.name} (${spec.command}) could not be started`)
  const output = collectOutput(child)
  let running = true
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      running = false
      resolve(code)
    })
  })
  const isRunning = (): boolean => running
  return { name: spec.name, output, ...controlsOf({ pid, exited, isRunning }) }
}

/** Signals and stops a process that leads its group. */
export function controlsOf(running: Pick<Child, 'pid' | 'exited' | 'isRunning'>): Omit<Child, 'name' | 'output'> {
  const { pid, exited, isRunning } = running
  const signal: Child['signal'] = (name, target = 'process') => {
    try {
      process.kill(target === 'group' ? -pid : pid, name)
    } catch {
      // It is already gone.
    }
  }
  const stop: Child['stop'] = async (graceMs = 15_000) => {
    if (isRunning()) signal('SIGTERM')
    const timer = setTimeout(() => signal('SIGKILL', 'group'), graceMs)
    await exited
    clearTimeout(timer)
    signal('SIGKILL', 'group')
  }
  return { ...running, signal, stop }
}

function collectOutput(child: ChildProcess): () => string {
  let text = ''
  const add = (chunk: Buffer): void => {
    text += chunk.toString()
    // A long text is not copied for each line.
    if (text.length > 2 * OUTPUT_LIMIT) text = text.slice(-OUTPUT_LIMIT)
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  child.once('error', (error) => add(Buffer.from(`${error.message}\n`)))
  return () => text.slice(-OUTPUT_LIMIT)
}
