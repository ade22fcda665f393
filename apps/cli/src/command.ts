// What a command is: its name, its help, its options, and a function that gets them parsed. The table of commands lives in `commands.ts`.
import type { ParseArgsOptionDescriptor } from 'node:util'
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
  readonly options: Readonly<Record<string, ParseArgsOptionDescriptor & { help: string }>>
  /** Accepts words beyond its options. */
  readonly takesWords?: boolean
  /** Loaded when it is used, so that `env` costs no more than it needs. */
  readonly load: () => Promise<{ run: (context: CommandContext) => Promise<number> }>
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
