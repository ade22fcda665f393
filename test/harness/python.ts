// Runs a program of `test/programs` with an unmodified SDK, as a user would: in its own working directory and home, with only the variables that
// `runyard env` prints. A program prints its findings as one line `@@ {json}`; the last one counts.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { CommandResult } from './child.ts'
import { startProgram, type Program } from './python-forks.ts'
import { cleanEnv } from './stack.ts'
import { cacheDir, venvPath, type VenvName } from './venvs.ts'

const PROGRAMS = join(import.meta.dirname, '..', 'programs')

export interface PythonRun {
  readonly venv: VenvName
  /** A file of `test/programs`. */
  readonly program: string
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Default: a fresh directory, removed at the end. */
  readonly cwd?: string
  readonly timeoutMs?: number
}

export interface PythonResult extends CommandResult {
  /** The JSON after the program's last `@@`. */
  readonly found: Readonly<Record<string, unknown>>
}

/** A user's project directory: it contains the programs, and clients write `.flash/` into it. */
export async function makeProject(programs: readonly string[]): Promise<{ dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-project-'))
  await mkdir(join(dir, '.home'))
  for (const program of programs) await cp(join(PROGRAMS, program), join(dir, basename(program)))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

/** A user's shell environment: the stack's variables and none of the test's own. */
export function pythonEnv(venv: VenvName, cwd: string, env: Readonly<Record<string, string>>): Record<string, string> {
  const path = `${join(venvPath(venv), 'bin')}:${process.env['PATH'] ?? ''}`
  // Some machines disable bytecode files, and then each start of an SDK compiles for seconds.
  const { PYTHONDONTWRITEBYTECODE: _forbidden, ...clean } = cleanEnv()
  const ours = { PATH: path, HOME: join(cwd, '.home'), PYTHONUNBUFFERED: '1', RUNPOD_FLASH_SILENCE_DEPRECATION: '1' }
  return { ...clean, ...ours, SSL_CERT_FILE: oneAuthority(), ...env }
}

/** Clients read all authorities for each of their sessions, 50 ms of processor time each time, and here they speak plain HTTP. */
function oneAuthority(): string {
  const path = join(cacheDir(), 'one-authority.pem')
  if (!existsSync(path)) {
    mkdirSync(cacheDir(), { recursive: true })
    writeFileSync(`${path}.${process.pid}`, rootCertificates[0] ?? '')
    renameSync(`${path}.${process.pid}`, path)
  }
  return path
}

/** @throws with the program's output if it fails or prints no findings. */
export async function runPython(run: PythonRun): Promise<PythonResult> {
  await using project = run.cwd === undefined ? await makeProject([run.program]) : undefined
  const cwd = run.cwd ?? project?.dir ?? ''
  const name = basename(run.program)
  const env = pythonEnv(run.venv, cwd, run.env)
  const result = await runToEnd({ name, venv: run.venv, argv: [name, ...(run.args ?? [])], cwd, env }, run.timeoutMs ?? 200_000)
  const line = result.stdout.split('\n').findLast((text) => text.startsWith('@@ '))
  if (result.code !== 0 || line === undefined) {
    throw new Error(`${run.program} ended with ${result.code}\n--- stdout\n${result.stdout}\n--- stderr\n${result.stderr}`)
  }
  return { ...result, found: JSON.parse(line.slice(3)) as Record<string, unknown> }
}

/** Whatever the exit code. Killed after `timeoutMs`. */
export async function runToEnd(program: Program, timeoutMs: number): Promise<CommandResult> {
  const child = await startProgram(program)
  const timer = setTimeout(() => child.signal('SIGKILL', 'group'), timeoutMs)
  const code = await child.exited
  clearTimeout(timer)
  return { code, stdout: child.stdout(), stderr: child.stderr() }
}
