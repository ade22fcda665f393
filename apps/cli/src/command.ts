// The type of a command: its name, help, options, and a function that receives the parsed options. The table of commands is in `commands.ts`.
import { RunyardError } from '@runyard/schema'
import { COLOR_MODES, FORMS, TIME_FORMS, type Terminal } from './output/terminal.ts'

export interface CommandContext {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly out: Terminal
  readonly err: Terminal
  /** The answer of a person. Undefined: there is no terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
}

/** An option of a command: one that takes a value, or a switch. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly help: string
  readonly short?: string
  /** May be repeated. */
  readonly multiple?: boolean
  /** An empty text means something. */
  readonly mayBeEmpty?: boolean
  /** The only values that are accepted. */
  readonly choices?: readonly string[]
}

/** The sections of `--help`, in their order. */
export const SECTIONS = ['Run', 'Use', 'See', 'Keep'] as const
export type Section = (typeof SECTIONS)[number]

export interface Command {
  /** One word, or two of which the first is a group. */
  readonly name: string
  /** Of commands without a group. */
  readonly section?: Section
  readonly summary: string
  /** The words that it takes, as its usage shows them; absent: none. */
  readonly words?: string
  /** What its usage shows after them; absent: `--json` and `--data`, where it has them. */
  readonly flags?: string
  /** A command line that a new user can type. */
  readonly example?: string
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Lists things, so it can be watched. */
  readonly isList?: boolean
  /** Shows only endpoints, jobs, workers and cards, whose changes the gateway reports (`changes.ts`). */
  readonly isLive?: boolean
  /** Loaded on use, so that `env` starts quickly. */
  readonly load: () => Promise<{ run: (context: CommandContext) => Promise<number> }>
}

export const data = { type: 'string', help: 'data directory of the stack (default: XDG state home)' } as const
export const json = { type: 'boolean', help: 'the same as -o json' } as const

/** Of every command. */
const COLOR: OptionSpec = { type: 'string', choices: COLOR_MODES, help: 'colours (default: auto)' }
/** Of commands that print data. */
const OUTPUT: OptionSpec = { type: 'string', short: 'o', choices: FORMS, help: 'the form of the output (default: table)' }
/** Of commands that list things. */
const LIST_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  time: { type: 'string', choices: TIME_FORMS, help: 'times as an age, in UTC, or here (default: an age; utc without a terminal)' },
  watch: { type: 'boolean', short: 'w', help: 'show it again whenever it changes; with --json one line for each row that changed' },
}

/** What the table says, and what goes without saying. */
export function optionsOf({ options, isList }: Pick<Command, 'options' | 'isList'>): Readonly<Record<string, OptionSpec>> {
  const output = options['json'] === undefined ? {} : { output: OUTPUT }
  return { ...options, ...output, ...(isList === true ? LIST_OPTIONS : {}), color: COLOR }
}

/** `runyard hosts show NAME|ID [--json] [--data DIR]`. */
export function usageOf({ name, words, flags, options }: Pick<Command, 'name' | 'words' | 'flags' | 'options'>): string {
  const usual = [options['json'] && '[--json]', options['data'] && '[--data DIR]']
  return ['runyard', name, words, ...(flags === undefined ? usual : [flags])].filter((part) => part !== undefined && part !== '').join(' ')
}

export const WHICH = 'NAME|ID'
/** The hidden command that completion scripts call (`complete-words.ts`). */
export const COMPLETE = '__complete'

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
