// Runs the CLI as `./runyard` does.
import { spawn } from 'node:child_process'
import { waitFor } from './wait.ts'
import { tryCommand, type CommandResult } from './child.ts'
import { cleanEnv, entry } from './stack.ts'

/** `input` is piped to its stdin. */
export function runCli(words: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<CommandResult> {
  return tryCommand(process.execPath, [entry('cli'), ...words], { env: { ...cleanEnv(), ...env }, timeoutMs: 180_000, input })
}

/** A command that goes on, such as `logs -f`, until it is stopped as Ctrl-C does. */
export function followCli(words: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [entry('cli'), ...words], {
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
