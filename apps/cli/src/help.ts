// The text of `--help`: all commands, the commands of a group, or one command with its options.
import type { Command } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import { isMember, membersOf } from './find-command.ts'
import { renderTable } from './output/table.ts'
import type { Terminal } from './output/terminal.ts'

export function showOverview(out: Terminal): number {
  out.line('Run your own GPU boxes as a Runpod-compatible serverless pool.')
  out.line()
  out.line(`${out.bold('Usage')}  runyard COMMAND [OPTIONS]`)
  out.line()
  const single = COMMANDS.filter((command) => !isMember(command)).map(({ name, summary }) => [name, summary] as const)
  const rows = [...single, ...Object.entries(GROUPS)].map(([name, summary]) => [`  ${out.bold(name)}`, summary])
  for (const line of renderTable(out, rows)) out.line(line)
  out.line()
  out.line('`runyard COMMAND --help` shows the options. Start with `runyard demo`, then `runyard up`.')
  return 0
}

export function showGroup(out: Terminal, group: string): number {
  for (const line of [GROUPS[group], '', `${out.bold('Usage')}  runyard ${group} COMMAND [OPTIONS]`, '']) out.line(line)
  const members = membersOf(group).map(({ name, summary }) => [`  ${out.bold(name)}`, summary])
  for (const line of renderTable(out, members)) out.line(line)
  out.line()
  out.line(`\`runyard ${group} COMMAND --help\` shows the options.`)
  return 0
}

export function showCommand(out: Terminal, { summary, usage, example, options }: Command): number {
  for (const line of [summary, '', `${out.bold('Usage')}    ${usage}`]) out.line(line)
  if (example !== undefined) out.line(`${out.bold('Example')}  ${example}`)
  const rows = Object.entries(options).map(([option, { help }]) => [`  --${option}`, help])
  for (const line of rows.length === 0 ? [] : ['', ...renderTable(out, rows)]) out.line(line)
  return 0
}
