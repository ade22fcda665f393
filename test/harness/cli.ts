// Runs the CLI from its source, as `./runyard` does with its bundle.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { waitFor } from './wait.ts'
import { tryCommand, type CommandResult } from './child.ts'
import { cleanEnv } from './stack.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'src', 'main.ts')

/** `input` is piped to its stdin. */
export function runCli(words: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<CommandResult> {
  return tryCommand(process.execPath, [MAIN, ...words], { env: { ...cleanEnv(), ...env }, timeoutMs: 180_000, input })
}

/** A command that goes on, such as `logs -f`, until it is stopped as Ctrl-C does. */
export function followCli(words: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...cleanEnv(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let seen = ''
  child.stdout.on('data', (data: Buffer) => {
    seen += data.toString()
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    /** What it has printed so far. */
    seen: () => seen,
    until: (text: string) => waitFor(`\`${words.join(' ')}\` to print "${text}"`, () => Promise.resolve(seen.includes(text))),
    stop: () => {
      child.kill('SIGINT')
      return exited
    },
  }
}
