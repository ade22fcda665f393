// Runs a command line: version, help, the parser of `program.ts`, and one sentence for each mistake. Exit codes: 0 success, 1 failure, 2 wrong
// usage.
import { CommanderError } from 'commander'
import { RunyardError } from '@runyard/schema'
import { COMPLETE, optionsOf, usageOf, UsageError, type Command, type CommandContext } from './command.ts'
import { COMMANDS } from './commands.ts'
import { COLOR_MODES, FORMS, withForm } from './output/terminal.ts'
import { createProgram } from './program.ts'
import { closestName } from './suggest.ts'
import { VERSION } from './version.ts'

type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'out' | 'err' | 'ask'>

/** Words that stand for others. */
const SHORT: Readonly<Record<string, readonly string[]>> = { ls: ['endpoints', 'list'], rm: ['endpoints', 'delete'], ps: ['workers'] }

export async function runCommandLine(given: readonly string[], surroundings: Surroundings): Promise<number> {
  const { out, err } = surroundings
  if (['version', '--version', '-v'].includes(given[0] ?? '')) {
    out.line(`runyard ${VERSION}`)
    return 0
  }
  if (given[0] === COMPLETE) return (await import('./complete-words.ts')).completeWords(given.slice(1), surroundings)
  const words = expand(given)
  let code = 0
  const program = createProgram(words, {
    out,
    async run(command, parsed) {
      code = await runCommand(command, { ...surroundings, ...parsed })
    },
    refuse(sentence) {
      throw new UsageError(sentence)
    },
  })
  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const reported = error instanceof CommanderError ? new UsageError(explain(error, words), { cause: error }) : error
    if (!(reported instanceof RunyardError)) throw reported
    err.line(`runyard: ${reported.message}`)
    return reported instanceof UsageError ? 2 : 1
  }
}

async function runCommand(command: Command, context: CommandContext): Promise<number> {
  const { out, err, options } = context
  refuseEmpty(command, options)
  const color = COLOR_MODES.find((mode) => mode === options['color'])
  if (color !== undefined) for (const each of [out, err]) each.setColor(color)
  const asked = options['json'] === true ? 'json' : 'table'
  const form = FORMS.find((each) => each === options['output']) ?? asked
  const isForPrograms = form !== 'table' && form !== 'wide'
  const { run } = await command.load()
  const ready = { ...context, options: { ...options, json: isForPrograms }, out: withForm(out, form) }
  return options['watch'] === true ? (await import('./watch.ts')).watch(ready, { run, isLive: command.isLive === true }) : run(ready)
}

/** An unset variable of a script, as in `--data "$DIR"`. @throws UsageError */
function refuseEmpty(command: Command, options: CommandContext['options']): void {
  const known = optionsOf(command)
  const name = Object.keys(known).find((each) => [options[each]].flat().includes('') && known[each]?.mayBeEmpty !== true)
  if (name !== undefined) throw new UsageError(`--${name} takes a value, and an empty text is none; usage: ${usageOf(command)}`)
}

/** `help X` is `X --help`, and `ls` is `endpoints list`. */
function expand([first = '', ...rest]: readonly string[]): readonly string[] {
  if (first === 'help') return [...rest, '--help']
  return [...(SHORT[first] ?? (first === '' ? [] : [first])), ...rest]
}

/** Commander's own sentences are reduced to the name of the option. */
function explain({ code, message }: CommanderError, words: readonly string[]): string {
  const command = COMMANDS.find(({ name }) => name === words[0] || name === `${words[0]} ${words[1]}`)
  if (command === undefined) return message.replace(/^error: /u, '')
  const option = /'(?:-\w, )?(--?[^' ]+)/u.exec(message)?.[1] ?? ''
  const usage = `usage: ${usageOf(command)}`
  if (code === 'commander.unknownOption') return explainUnknown(option, command)
  if (code === 'commander.optionMissingArgument') return `${option} takes a value; ${usage}`
  if (code === 'commander.excessArguments') return `\`${command.name}\` takes no such words; ${usage}`
  return message.replace(/^error: option '(?:-\w, )?(--\S+) <value>' argument/u, '$1').trim()
}

function explainUnknown(option: string, command: Command): string {
  const known = Object.keys(optionsOf(command)).map((each) => `--${each}`)
  const [asked = option] = option.split('=')
  if (asked !== option && known.includes(asked)) return `${asked} takes no value; usage: ${usageOf(command)}`
  const near = closestName(asked, known)
  return `\`${command.name}\` has no option ${option}; ${near === undefined ? `usage: ${usageOf(command)}` : `did you mean ${near}?`}`
}
