// From words to a command: help, version, suggestions for misspelt words. Exit codes: 0 fine, 1 it failed, 2 the words were wrong.
import { parseArgs } from 'node:util'
import { closestWord, sentenceOf } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Command, CommandContext } from './command.ts'
import { COMMANDS } from './commands.ts'
import { alignColumns, type Terminal } from './output/terminal.ts'
import { VERSION } from './version.ts'

type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'out' | 'err'>

export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { out, err } = surroundings
  const [name = 'help', ...rest] = words
  if (['help', '--help', '-h'].includes(name)) return showHelp(out, rest[0])
  if (['version', '--version', '-v'].includes(name)) {
    out.line(`runyard ${VERSION}`)
    return 0
  }
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (command === undefined) return refuseCommand(err, name)
  if (rest.includes('--help') || rest.includes('-h')) return showHelp(out, name)
  return runCommand(command, rest, surroundings)
}

async function runCommand(command: Command, words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { err } = surroundings
  let parsed: Pick<CommandContext, 'options' | 'positionals'>
  try {
    parsed = parseWords(command, words)
  } catch (error) {
    err.line(`runyard: ${sentenceOf(error)}`)
    return 2
  }
  try {
    const { run } = await command.load()
    return await run({ ...surroundings, ...parsed })
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    err.line(`runyard: ${error.message}`)
    return 1
  }
}

/** @throws RunyardError with one sentence. */
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
    const first = unknown === undefined ? (message.split('. ')[0] ?? message) : `\`${command.name}\` has no option ${unknown}`
    const hint = near === undefined ? `usage: ${command.usage}` : `did you mean ${near}?`
    throw new RunyardError('bad_request', `${first}; ${hint}`, { cause: error })
  }
}

function refuseCommand(err: Terminal, name: string): number {
  const near = closestWord(
    name,
    COMMANDS.map((command) => command.name),
    3,
  )
  const hint = near === undefined ? '`runyard --help` lists the commands' : `did you mean \`${near}\`?`
  err.line(`runyard: there is no command \`${name}\`; ${hint}`)
  return 2
}

function showHelp(out: Terminal, name: string | undefined): number {
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (command === undefined) {
    out.line('Run your own GPU boxes as a Runpod-compatible serverless pool.\n')
    out.line(`${out.bold('Usage')}  runyard COMMAND [OPTIONS]\n`)
    for (const line of alignColumns(COMMANDS.map((each) => [`  ${out.bold(each.name)}`, each.summary]))) out.line(line)
    out.line('\n`runyard COMMAND --help` tells more. Start with `runyard demo`, then `runyard up`.')
    return 0
  }
  out.line(`${command.summary}\n\n${out.bold('Usage')}  ${command.usage}`)
  const options = Object.entries(command.options).map(([option, { help }]) => [`  --${option}`, help])
  if (options.length > 0) out.line(`\n${alignColumns(options).join('\n')}`)
  return 0
}
