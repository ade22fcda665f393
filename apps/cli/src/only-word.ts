// The thing that a command is about: one word, and a helpful sentence where it is missing or names nothing.
import { RunyardError } from '@runyard/schema'
import { UsageError, type CommandContext } from './command.ts'
import { closestName } from './suggest.ts'

/** The commands that list such things. */
export type ListedGroup = 'endpoints' | 'hosts' | 'keys' | 'registries' | 'secrets' | 'volumes'

/** The only positional argument. `what` completes "name one …". @throws UsageError */
export function onlyWord({ positionals }: Pick<CommandContext, 'positionals'>, what: string, group: ListedGroup = 'endpoints'): string {
  const [word = '', ...more] = positionals
  if (word !== '' && more.length === 0) return word
  throw new UsageError(`name one ${what}; ${givenOf(positionals)}. ${listHint(group)}.`)
}

/** As `onlyWord`, of what may be new. `usage` is the command, `what` completes "takes one …". @throws UsageError */
export function onlyNewWord(
  { positionals }: Pick<CommandContext, 'positionals'>,
  { usage, what }: { usage: string; what: string },
): string {
  const [word = '', ...more] = positionals
  if (word !== '' && more.length === 0) return word
  throw new UsageError(`\`runyard ${usage}\` takes one ${what}; ${givenOf(positionals)}.`)
}

/** `what` completes "there is no …". */
export function unknownWord(word: string, names: readonly string[], { what, group }: { what: string; group: ListedGroup }): RunyardError {
  const near = closestName(word, names)
  const hint = near === undefined ? `${listHint(group)}.` : `did you mean "${near}"?`
  return new RunyardError('not_found', `there is no ${what} "${word}"; ${hint}`)
}

const givenOf = ({ length }: readonly string[]): string => (length === 0 ? 'none was given' : `${length} were given`)

const listHint = (group: ListedGroup): string => `\`runyard ${group} list\` shows what there is`
