// Parses the command line: help, version, suggestions for misspelt words. Exit codes: 0 success, 1 failure, 2 wrong usage.
import { parseArgs } from 'node:util'
import { closestWord } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { UsageError, type Command, type CommandContext } from './command.ts'
import { findCommand } from './find-command.ts'
import { showCommand, showGroup, showOverview } from './help.ts'
import type { Terminal } from './output/terminal.ts'
import { VERSION } from './version.ts'

type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'out' | 'err'>

export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { out, err } = surroundings
  const [name = 'help', ...rest] = words
  if (['help', '--help', '-h'].includes(name)) return showHelp(out, rest)
  if (['version', '--version', '-v'].includes(name)) {
    out.line(`runyard ${VERSION}`)
    return 0
  }
  const found = findCommand(words)
  if (found.kind === 'unknown') {
    err.line(`runyard: ${found.sentence}`)
    return 2
  }
  if (found.kind === 'group' || found.rest.includes('--help') || found.rest.includes('-h')) return showHelp(out, words)
  return runCommand(found.command, found.rest, surroundings)
}

function showHelp(out: Terminal, words: readonly string[]): number {
  const found = findCommand(words)
  if (found.kind === 'unknown') return showOverview(out)
  return found.kind === 'group' ? showGroup(out, found.name) : showCommand(out, found.command)
}

async function runCommand(command: Command, words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { err } = surroundings
  try {
    const parsed = parseWords(command, words)
    const { run } = await command.load()
    return await run({ ...surroundings, ...parsed })
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    err.line(`runyard: ${error.message}`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** @throws UsageError with one sentence. */
function parseWords(command: Command, words: readonly string[]): Pick<CommandContext, 'options' | 'positionals'> {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { ...command.options },
      allowPositionals: command.takesWords ?? false,
    })
    return { options: values as CommandContext['options'], positionals }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || !code.startsWith('ERR_PARSE_ARGS')) throw error
    const unknown = /Unknown option '(--?[^']+)'/.exec(message)?.[1]
    const known = Object.keys(command.options).map((name) => `--${name}`)
    const near = unknown === undefined ? undefined : closestWord(unknown, known, 3)
    const first = unknown === undefined ? explainWords(message) : `\`${command.name}\` has no option ${unknown}`
    const hint = near === undefined ? `usage: ${command.usage}` : `did you mean ${near}?`
    throw new UsageError(`${first}; ${hint}`, { cause: error })
  }
}

/** Node's own message may have several lines; only the name of the option is used. */
function explainWords(message: string): string {
  const option = /^Option '(?:-\w, )?(--[^' ]+)/u.exec(message)?.[1]
  if (option === undefined) return message.split('. ')[0] ?? message
  if (message.includes('is ambiguous')) return `${option} takes a value; one that begins with a dash is written ${option}=VALUE`
  return message.includes('does not take') ? `${option} takes no value` : `${option} takes a value`
}
