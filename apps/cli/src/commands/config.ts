// `runyard config`: every setting, its value and its source; one of them; or another value for one, in the file.
import { listSettings, loadConfig, setInConfig, showSettings, type Setting } from '@runyard/kit'
import { errorMessage } from '@runyard/schema'
import { parse } from 'yaml'
import { UsageError, type CommandContext } from '../command.ts'
import { printListing } from '../output/listing.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { closestName } from '../suggest.ts'

interface Row {
  readonly setting: string
  readonly value: unknown
  readonly from: string
  readonly variable: string
}

/** `config VERB` → its words, and what it does. */
const VERBS: Readonly<Record<string, { readonly words: number; run(context: CommandContext, words: readonly string[]): Promise<void> }>> = {
  path: { words: 0, run: async (context) => context.out.line((await loadSettings(context)).file) },
  get: { words: 1, run: async (context, [key = '']) => context.out.line(show(find(rowsOf(await loadSettings(context)), key).value)) },
  set: { words: 2, run: (context, [key = '', text = '']) => set(context, key, text) },
}

export async function run(context: CommandContext): Promise<number> {
  const [verb, ...words] = context.positionals
  if (verb === undefined) return list(context)
  const found = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (found?.words !== words.length) {
    throw new UsageError('this is no command of config: say `config`, `config get SETTING`, `config set SETTING VALUE` or `config path`.')
  }
  await found.run(context, words)
  return 0
}

async function list(context: CommandContext): Promise<number> {
  const { out, err, options } = context
  const settings = await loadSettings(context)
  for (const sentence of settings.strayVariables) err.line(sentence)
  const all = rowsOf(settings)
  const rows = options['changed'] === true ? all.filter(({ from }) => from !== 'default') : all
  return printListing(context, {
    rows,
    columns: [
      { title: 'setting', cell: ({ setting }) => setting, cut: 'middle' },
      { title: 'value', cell: ({ value }) => show(value), cut: 'end' },
      {
        title: 'from',
        cell: ({ from, variable }) => (from === 'default' ? `default (${variable})` : from),
        paint: ({ from }) => (from === 'default' ? out.dim : (text) => text),
        cut: 'end',
        goes: 1,
      },
    ],
    data: rows,
    empty: 'every setting has its default',
  })
}

/** Asks the loader first, as if a variable had the value, so that no wrong value gets into the file. */
async function set(context: CommandContext, key: string, text: string): Promise<void> {
  const { env, cwd, out } = context
  const { file } = await loadSettings(context)
  const setting = find(
    listSettings().map((each) => ({ setting: each.key, ...each })),
    key,
  )
  if (setting.kind !== 'scalar') throw new UsageError(`${key} is a list; edit it in ${file}.`)
  await check(setting, text, { env, cwd })
  await setInConfig(file, setting.path, parse(text))
  out.line(`${key} is ${text} in ${file}; it counts from the next start`)
}

async function check({ key, variable }: Setting, text: string, { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>): Promise<void> {
  try {
    await loadConfig({ env: { ...env, [variable]: text }, cwd })
  } catch (error) {
    throw new UsageError(errorMessage(error).replaceAll(variable, key), { cause: error })
  }
}

function find<T extends { readonly setting: string }>(rows: readonly T[], key: string): T {
  const found = rows.find(({ setting }) => setting === key)
  if (found !== undefined) return found
  const near = closestName(
    key,
    rows.map(({ setting }) => setting),
  )
  throw new UsageError(`there is no setting "${key}"; ${near === undefined ? '`runyard config` lists them' : `did you mean "${near}"?`}`)
}

function rowsOf(settings: Settings): readonly Row[] {
  return showSettings(settings).map(({ key: setting, value, from, variable }) => ({ setting, value, from, variable }))
}

function show(value: unknown): string {
  if (value === undefined) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
