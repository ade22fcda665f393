// Finds the command on the command line: the first word, or two words for a command of a group (`endpoints create`).
import { closestWord } from '@runyard/kit'
import type { Command } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'

export type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly rest: readonly string[] }
  | { readonly kind: 'group'; readonly name: string; readonly rest: readonly string[] }
  | { readonly kind: 'unknown'; readonly sentence: string }

export function findCommand(words: readonly string[]): Found {
  const [first = '', second = '', ...others] = words
  const command = commandNamed(first)
  if (command !== undefined) return { kind: 'command', command, rest: words.slice(1) }
  if (!Object.hasOwn(GROUPS, first)) return { kind: 'unknown', sentence: unknownSentence(first) }
  if (second === '' || second.startsWith('-')) return { kind: 'group', name: first, rest: words.slice(1) }
  const member = commandNamed(`${first} ${second}`)
  if (member !== undefined) return { kind: 'command', command: member, rest: others }
  const near = closestWord(second, membersOf(first).map(lastWord), 3)
  const hint = near === undefined ? `\`runyard ${first}\` lists its commands` : `did you mean \`${near}\`?`
  return { kind: 'unknown', sentence: `\`${first}\` has no command \`${second}\`; ${hint}` }
}

export function membersOf(group: string): readonly Command[] {
  return COMMANDS.filter((command) => command.name.startsWith(`${group} `))
}

export function isMember(command: Command): boolean {
  return command.name.includes(' ')
}

function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((candidate) => candidate.name === name)
}

function lastWord({ name }: Command): string {
  return name.slice(name.indexOf(' ') + 1)
}

function unknownSentence(name: string): string {
  const names = [...COMMANDS.filter((command) => !isMember(command)).map((command) => command.name), ...Object.keys(GROUPS)]
  const near = closestWord(name, names, 3)
  const hint = near === undefined ? '`runyard --help` lists the commands' : `did you mean \`${near}\`?`
  return `there is no command \`${name}\`; ${hint}`
}
