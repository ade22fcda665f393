// Runs the CLI from its source, as `./runyard` does with its bundle.
import { join } from 'node:path'
import { tryCommand, type CommandResult } from './child.ts'
import { cleanEnv } from './stack.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'src', 'main.ts')

/** `input` is piped to its stdin. */
export function runCli(words: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<CommandResult> {
  return tryCommand(process.execPath, [MAIN, ...words], { env: { ...cleanEnv(), ...env }, timeoutMs: 180_000, input })
}
