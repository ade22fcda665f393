// What a command is: its name, its help, its options, and a function that gets them parsed. The table of commands lives in `commands.ts`.
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
  /** A line that a newcomer can type. */
  readonly example?: string
  readonly options: Readonly<Record<string, ParseArgsOptionDescriptor & { help: string }>>
  /** Accepts words beyond its options. */
  readonly takesWords?: boolean
  /** Loaded when it is used, so that `env` costs no more than it needs. */
  readonly load: () => Promise<{ run: (context: CommandContext) => Promise<number> }>
}

export const data = { type: 'string', help: 'data directory of the stack (default: XDG state home)' } as const
export const json = { type: 'boolean', help: 'print JSON, for programs' } as const
export const WHICH = 'NAME|ID'

/** The words of a command make no sense, whoever is asked: exit code 2. */
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
