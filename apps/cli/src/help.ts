// What `--help` prints: all commands, those of a group, or one with its options.
import type { Command } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import { isMember, membersOf } from './find-command.ts'
import { alignColumns, type Terminal } from './output/terminal.ts'

export function showOverview(out: Terminal): number {
  out.line('Run your own GPU boxes as a Runpod-compatible serverless pool.\n')
  out.line(`${out.bold('Usage')}  runyard COMMAND [OPTIONS]\n`)
  const single = COMMANDS.filter((command) => !isMember(command)).map(({ name, summary }) => [name, summary] as const)
  const rows = [...single, ...Object.entries(GROUPS)].map(([name, summary]) => [`  ${out.bold(name)}`, summary])
  for (const line of alignColumns(rows)) out.line(line)
  out.line('\n`runyard COMMAND --help` tells more. Start with `runyard demo`, then `runyard up`.')
  return 0
}

export function showGroup(out: Terminal, group: string): number {
  out.line(`${GROUPS[group] ?? ''}\n\n${out.bold('Usage')}  runyard ${group} COMMAND [OPTIONS]\n`)
  for (const line of alignColumns(membersOf(group).map(({ name, summary }) => [`  ${out.bold(name)}`, summary]))) out.line(line)
  out.line(`\n\`runyard ${group} COMMAND --help\` tells more.`)
  return 0
}

export function showCommand(out: Terminal, { summary, usage, example, options }: Command): number {
  out.line(`${summary}\n\n${out.bold('Usage')}    ${usage}`)
  if (example !== undefined) out.line(`${out.bold('Example')}  ${example}`)
  const rows = Object.entries(options).map(([option, { help }]) => [`  --${option}`, help])
  if (rows.length > 0) out.line(`\n${alignColumns(rows).join('\n')}`)
  return 0
}
