// The type of a command: its name, help, options, and a function that receives the parsed options. The table of commands is in `commands.ts`.
import type { ParseArgsOptionDescriptor } from 'node:util'
import { RunyardError } from '@runyard/schema'
import type { Terminal } from './output/terminal.ts'

export interface CommandContext {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly out: Terminal
  readonly err: Terminal
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly usage: string
  /** A command line that a new user can type. */
  readonly example?: string
  readonly options: Readonly<Record<string, ParseArgsOptionDescriptor & { help: string }>>
  /** Accepts positional arguments. */
  readonly takesWords?: boolean
  /** Loaded on use, so that `env` starts quickly. */
  readonly load: () => Promise<{ run: (context: CommandContext) => Promise<number> }>
}

export const data = { type: 'string', help: 'data directory of the stack (default: XDG state home)' } as const
export const json = { type: 'boolean', help: 'print JSON, for programs' } as const
export const WHICH = 'NAME|ID'

/** The command line is invalid, independent of the stack: exit code 2. */
export class UsageError extends RunyardError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_request', message, options)
  }
}

export function textOption(context: Pick<CommandContext, 'options'>, name: string): string | undefined {
  const value = context.options[name]
  return typeof value === 'string' ? value : undefined
}

/** The values of an option that may be repeated. */
export function listOption(context: Pick<CommandContext, 'options'>, name: string): readonly string[] {
  const value = context.options[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}
