// Makes the parser and the help pages out of the table of commands, with commander (ADR 84). Options are registered only for the command that
// runs or shows its help, because a start should stay short.
import { Command as Parser, Option } from 'commander'
import { optionsOf, SECTIONS, usageOf, type Command, type CommandContext, type OptionSpec } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import type { Terminal } from './output/terminal.ts'
import { closestName } from './suggest.ts'

/** Help is not wrapped below this width of its right column. */
const NARROWEST_HELP = 20
const WIDEST_HELP = 100
/** Keeps `[--data DIR]` on one line. Commander wraps at every white space. */
const GLUE = '\u0001'

export interface ProgramEvents {
  readonly out: Terminal
  /** Called with the parsed words of the command that was named. */
  readonly run: (command: Command, parsed: Pick<CommandContext, 'options' | 'positionals'>) => Promise<void>
  /** A word that names no command, and what to say about it. */
  readonly refuse: (sentence: string) => void
}

export function createProgram(words: readonly string[], { out, run, refuse }: ProgramEvents): Parser {
  const program = createRoot(out, refuse)
  for (const section of SECTIONS) {
    for (const command of COMMANDS.filter((each) => each.section === section)) addCommand(program, command)
    for (const [name, group] of Object.entries(GROUPS).filter((entry) => entry[1].section === section)) {
      const parent = createGroup(program, { name, ...group, refuse })
      for (const command of COMMANDS.filter((each) => each.name.startsWith(`${name} `))) addCommand(parent, command)
    }
  }
  return program

  function addCommand(parent: Parser, command: Command): void {
    const [first = '', second] = command.name.split(' ')
    const parser = parent.command(second ?? first).summary(command.summary)
    if (command.section !== undefined) parser.helpGroup(`${command.section}:`)
    const alias = aliasOf(second)
    if (alias !== undefined) parser.alias(alias)
    if (words[0] !== first) return
    parser.description(command.summary).usage(usageOf(command))
    if (command.words !== undefined) parser.argument('[words...]')
    for (const [name, option] of Object.entries(optionsOf(command))) parser.addOption(toOption(name, option))
    if (command.example !== undefined)
      parser.addHelpText('after', () => `\n${out.bold('Example:')} ${wrapUsage(command.example ?? '', out, 9)}`)
    parser.action(async () => {
      await run(command, { options: parser.opts<CommandContext['options']>(), positionals: parser.args })
    })
  }
}

function createRoot(out: Terminal, refuse: ProgramEvents['refuse']): Parser {
  const program = new Parser('runyard').exitOverride().configureOutput({
    writeOut: (text) => out.write(text),
    getOutHelpWidth: () => Math.min(out.columns, WIDEST_HELP),
    getOutHasColors: () => true,
    outputError: () => {},
  })
  const commandUsage = (parser: Parser): string =>
    wrapUsage(parser.commands.length === 0 ? parser.usage() : `${pathOf(parser)} COMMAND [OPTIONS]`, out, 7)
  return program
    .showSuggestionAfterError(false)
    .helpCommand(false)
    .configureHelp({
      minWidthToWrap: NARROWEST_HELP,
      styleTitle: out.bold,
      commandUsage,
      subcommandTerm: wholeName,
      visibleOptions,
    })
    .description('Run your own GPU boxes as a Runpod-compatible serverless pool.')
    .addHelpText('after', '\n`runyard COMMAND --help` shows the options.\nStart with `runyard demo`, then `runyard up`.')
    .allowUnknownOption()
    .argument('[command...]')
    .action(([first]: string[]) => (first === undefined ? program.outputHelp() : refuse(unknownCommand(first))))
}

interface GroupSpec {
  readonly name: string
  readonly section: (typeof SECTIONS)[number]
  readonly summary: string
  readonly refuse: ProgramEvents['refuse']
}

function createGroup(program: Parser, { name, section, summary, refuse }: GroupSpec): Parser {
  const group = program.command(name).summary(summary).description(summary).helpGroup(`${section}:`)
  return group
    .allowUnknownOption()
    .argument('[command...]')
    .addHelpText('after', `\n\`runyard ${name} COMMAND --help\` shows the options.`)
    .action(([word]: string[]) => {
      if (word === undefined) return group.outputHelp()
      const near = closestName(word, namesIn(group))
      const hint = near === undefined ? `\`runyard ${name}\` lists its commands` : `did you mean \`${near}\`?`
      refuse(`\`${name}\` has no command \`${word}\`; ${hint}`)
    })
}

function unknownCommand(word: string): string {
  const names = [...COMMANDS.map(({ name }) => name).filter((name) => !name.includes(' ')), ...Object.keys(GROUPS)]
  const near = closestName(word, names)
  const hint = near === undefined ? '`runyard --help` lists the commands' : `did you mean \`${near}\`?`
  return `there is no command \`${word}\`; ${hint}`
}

function namesIn(group: Parser): readonly string[] {
  return group.commands.map((parser) => parser.name())
}

function aliasOf(member: string | undefined): string | undefined {
  if (member === 'list') return 'ls'
  return member === 'delete' || member === 'remove' ? 'rm' : undefined
}

function toOption(name: string, { type, help, short, multiple, choices }: OptionSpec): Option {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${type === 'string' ? ' <value>' : ''}`
  const option = new Option(flags, help)
  option.attributeName = () => name
  if (choices !== undefined) option.choices(choices)
  if (multiple === true) option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
  return option
}

/** The switch for help goes without saying. */
function visibleOptions({ options }: Parser): Option[] {
  return options.filter(({ hidden }) => !hidden)
}

function pathOf(parser: Parser): string {
  return parser.parent === null ? parser.name() : `${pathOf(parser.parent)} ${parser.name()}`
}

function wholeName(parser: Parser): string {
  return parser.parent?.parent === null ? parser.name() : `${parser.parent?.name() ?? ''} ${parser.name()}`
}

/** Breaks a command line between its options and indents what follows. */
function wrapUsage(usage: string, { columns }: Terminal, indent: number): string {
  const width = Math.max(NARROWEST_HELP, Math.min(columns, WIDEST_HELP) - indent)
  const glued = usage.replaceAll(/\[[^\]]*\]|--\S+ [^\s[]\S*/gu, (part) => part.replaceAll(' ', GLUE))
  const wrapped = new Parser().createHelp().boxWrap(glued, width)
  return wrapped.replaceAll(GLUE, ' ').replaceAll('\n', `\n${' '.repeat(indent)}`)
}
