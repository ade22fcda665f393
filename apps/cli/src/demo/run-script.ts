// Runs the example as a user would: in its own directory, with the exported variables and nothing else of ours. Its stdout is shown at once; the
// rest is kept in case it fails.
import { spawn } from 'node:child_process'
import { clientVariables } from '../client-exports.ts'

export interface ScriptRun {
  readonly code: number | null
  /** Its whole output, both streams in order of arrival. */
  readonly output: string
}

const LONGEST_RUN_MS = 120_000

export async function runScript(options: {
  python: string
  script: string
  cwd: string
  env: NodeJS.ProcessEnv
  stack: { url: string; key: string }
  /** For programs that wrap their lines. */
  columns: number
  onLine: (line: string) => void
  signal: AbortSignal
}): Promise<ScriptRun> {
  const { python, script, cwd, env, stack, columns, onLine, signal } = options
  const variables = Object.fromEntries(clientVariables(stack).map(({ name, value }) => [name, value]))
  const child = spawn(python, ['-u', script], {
    cwd,
    env: { ...withoutClientVariables(env), ...variables, RUNPOD_FLASH_SILENCE_DEPRECATION: '1', COLUMNS: `${columns}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_RUN_MS)]),
  })
  let output = ''
  let rest = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString()
  })
  return new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.name === 'AbortError' ? `gave up after ${LONGEST_RUN_MS / 1000} s\n` : `${error.message}\n`
    })
    child.once('close', (code) => {
      resolve({ code, output })
    })
  })
}

/** Removes variables of the caller's shell that would redirect the script, or make it believe that it is a worker (flash-api §1.3). */
function withoutClientVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(?:RUNPOD|FLASH)_/.test(name)))
}
