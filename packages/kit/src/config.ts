// Loads the effective configuration: defaults < runyard.yaml < environment, validated with the one schema.
// Fails closed: an unknown key or a bad value is one sentence that names the file or variable and says what is allowed.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errorMessage, systemCode, Config, describeIssue, RunyardError, type Issue } from '@runyard/schema'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { closestWord } from './closest-word.ts'
import { findMisfit } from './setting-relations.ts'
import { describeAllowed, hasKey, listSettings, namesIn, type Setting } from './settings.ts'

type Env = Readonly<Record<string, string | undefined>>
type Tree = Record<string, unknown>

interface ConfigFile {
  readonly path: string
  readonly content: Tree
}

export interface LoadedConfig {
  readonly config: Config
  /** Dotted key → `default`, the file's path, or the variable's name; of what another process hands over, where that has it from. */
  readonly origins: Record<string, string>
  /** The file that is read, even if it does not exist. */
  readonly file: string
  /** A sentence for each variable that is named like a setting, but is none and close to none: nothing reads it. */
  readonly strayVariables: readonly string[]
}

/** Variables that other programs read, too. */
const USUAL_NAMES: Readonly<Record<string, readonly string[]>> = {
  'redis.url': ['REDIS_URL'],
  'traces.endpoint': ['OTEL_EXPORTER_OTLP_ENDPOINT'],
}

const PREFIX = 'RUNYARD_'
/** No settings: variables by which our programs, workers and tests talk to each other. */
const OTHER_NAMES = new Set(
  [
    ['CONFIG', 'PYTHON', 'FROM_SOURCE', 'BOOTSTRAP_KEY', 'BOOTSTRAP_KEY_FILE', 'DRAIN_ON_STOP', 'DEFAULT_HOSTS', 'CHAOS_SEED', 'STANDBY'],
    ['SCRATCH_DIR', 'RUNTIME_DIR', 'ENVELOPE', 'PRELOAD', 'COMMAND', 'AUTHORITY', 'SERVES', 'PLANE_NAME', 'READY_WITHIN_S'],
    ['MEMORY_BYTES', 'GPU_MEMORY_MIB', 'URL', 'ORIGINS'],
  ]
    .flat()
    .map((name) => `${PREFIX}${name}`),
)
/** Of settings that a section has. */
const MOST_HINTS = 3

const FILE_NAME = 'runyard.yaml'
const LONGEST_TYPO = 2

/** @throws RunyardError('bad_request') with one sentence. */
export async function loadConfig(options: { env: Env; cwd: string }): Promise<LoadedConfig> {
  const settings = listSettings()
  const file = await readConfigFile(options)
  if (file !== undefined) refuseUnknownKeys(file.content, file.path)
  refuseUnknownVariables(settings, options.env)
  const tree: Tree = {}
  const origins: Record<string, string> = {}
  const handed = handedOrigins(options.env)
  for (const setting of settings) {
    const { value, origin } = findValue(setting, options.env, file)
    origins[setting.key] = handed[setting.key] ?? origin
    if (value !== undefined) setAt(tree, setting.path, value)
  }
  const parsed = Config.safeParse(tree)
  if (!parsed.success) throw badValue(parsed.error, { settings, origins })
  const misfit = findMisfit(parsed.data, origins)
  const about = settings.find(({ key }) => key === misfit?.key)
  if (misfit !== undefined && about !== undefined)
    throw new RunyardError('bad_request', `${subjectOf(about, origins)} is wrong: ${misfit.problem}.`)
  return { config: parsed.data, origins, file: configFilePath(options), strayVariables: findStrayVariables(settings, options.env) }
}

const HandedOrigins = z.record(z.string(), z.string())

/** `runyard up` hands settings to the programs that it starts in variables. This one says where it has them from, by their keys. */
function handedOrigins({ RUNYARD_ORIGINS: text }: Env): Readonly<Record<string, string>> {
  return text === undefined ? {} : HandedOrigins.parse(JSON.parse(text))
}

function findValue(setting: Setting, env: Env, file: ConfigFile | undefined): { value: unknown; origin: string } {
  const variable = variableThatSets(setting, env)
  if (variable !== undefined) return { value: parseVariable(setting, variable, env[variable] ?? ''), origin: variable }
  const value = file === undefined ? undefined : valueAt(file.content, setting.path)
  return file === undefined || value === undefined || value === null
    ? { value: undefined, origin: 'default' }
    : { value, origin: file.path }
}

function configFilePath({ env, cwd }: { env: Env; cwd: string }): string {
  const named = env['RUNYARD_CONFIG']
  return named ? resolve(cwd, named) : join(cwd, FILE_NAME)
}

async function readConfigFile(options: { env: Env; cwd: string }): Promise<ConfigFile | undefined> {
  const named = options.env['RUNYARD_CONFIG']
  const path = configFilePath(options)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (!named && systemCode(error) === 'ENOENT') return undefined
    throw new RunyardError('bad_request', `The configuration file ${path} cannot be read (${systemCode(error)}).`, {
      cause: error,
    })
  }
  return { path, content: parseFile(path, text) }
}

function parseFile(path: string, text: string): Tree {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw notYaml(path, error)
  }
  if (content === null) return {}
  if (!isTree(content)) throw new RunyardError('bad_request', `${path} must hold settings as "key: value" lines.`)
  return content
}

/** The first line says what and where; those below it show the place. */
export function notYaml(path: string, error: YAMLParseError): RunyardError {
  const [what = ''] = error.message.split('\n')
  return new RunyardError('bad_request', `${path} is not valid YAML: ${what.replace(/:$/u, '')}.`, { cause: error })
}

function refuseUnknownKeys(content: Tree, path: string, prefix: readonly string[] = []): void {
  for (const [name, value] of Object.entries(content)) {
    const key = [...prefix, name]
    const found = hasKey(key)
    if (found === 'none')
      throw new RunyardError('bad_request', `${path}: there is no setting "${key.join('.')}"${suggestion(prefix, name)}`)
    if (found === 'leaf' || value === null) continue
    if (!isTree(value)) throw new RunyardError('bad_request', `${path}: "${key.join('.')}" is a section and needs settings below it.`)
    refuseUnknownKeys(value, path, key)
  }
}

/** Detects misspelt variables, which would be ignored silently. One that is not close to any setting is only reported (`strayVariables`). */
function refuseUnknownVariables(settings: readonly Setting[], env: Env): void {
  const known = settings.map((setting) => setting.variable)
  for (const name of Object.keys(env)) {
    if (!mayBeSetting(name) || known.includes(name)) continue
    const near = closestWord(name, known, LONGEST_TYPO)
    if (near !== undefined) throw new RunyardError('bad_request', `There is no setting ${name}; did you mean ${near}?`)
  }
}

/** Variables of tests are none. */
function mayBeSetting(name: string): boolean {
  return name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}TEST_`) && !OTHER_NAMES.has(name)
}

function findStrayVariables(settings: readonly Setting[], env: Env): readonly string[] {
  const known = settings.map((setting) => setting.variable)
  const stray = Object.keys(env).filter((name) => mayBeSetting(name) && !known.includes(name))
  return stray.map((name) => `${name} is no setting and does nothing${hintFor(name, known)}`)
}

/** The settings of a section, or the one whose name is nearest. */
function hintFor(name: string, known: readonly string[]): string {
  const below = known.filter((each) => each.startsWith(`${name}_`))
  const near = closestWord(name, known, Math.ceil((name.length - PREFIX.length) / 3))
  const meant = below.length > 0 ? below.slice(0, MOST_HINTS) : near === undefined ? [] : [near]
  if (meant.length === 0) return '; `runyard config` lists all settings.'
  return `; did you mean ${meant.join(' or ')}?`
}

function variableThatSets(setting: Setting, env: Env): string | undefined {
  const names = [setting.variable, ...(USUAL_NAMES[setting.key] ?? [])]
  return names.find((name) => env[name] !== undefined && env[name] !== '')
}

/** Lists are separated by commas, hosts may be a bare kind (`process`) or the URL of an engine, and structured values are JSON. */
function parseVariable(setting: Setting, variable: string, text: string): unknown {
  if (setting.kind === 'scalar') return text
  if (/^\s*[[{"]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new RunyardError('bad_request', `${variable} is not valid JSON: ${errorMessage(error)}`, { cause: error })
    }
  }
  const words = text.split(',').map((word) => word.trim())
  if (setting.key === 'hosts') return words.map((word) => toHost(word, words.length))
  return setting.kind === 'list' ? words : text
}

function toHost(word: string, count: number): unknown {
  if (word.includes('://')) return word
  return count === 1 ? { kind: word } : { kind: word, id: word }
}

function badValue(error: z.ZodError, where: { settings: readonly Setting[]; origins: Record<string, string> }): RunyardError {
  const [issue] = error.issues
  const { path = [] } = issue ?? {}
  const message = issue === undefined ? '' : sentenceOf(issue)
  const setting = where.settings.find((candidate) => candidate.path.every((part, index) => part === path[index]))
  if (setting === undefined) return new RunyardError('bad_request', `The configuration is wrong: ${message}.`)
  const inner = path.slice(setting.path.length).join('.')
  const detail = inner === '' ? '' : ` (at ${inner})`
  // The bound of every whole number, which matters only beyond it.
  const bound = issue?.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER ? ` to ${issue.maximum}` : ''
  const allowed = `${describeAllowed(setting, message)}${bound}`
  return new RunyardError('bad_request', `${subjectOf(setting, where.origins)} is wrong${detail}: ${allowed}.`)
}

/** What the operator wrote: the variable, or the file and the setting. */
function subjectOf({ key, variable }: Setting, origins: Readonly<Record<string, string>>): string {
  const origin = origins[key] ?? 'default'
  return origin === variable || USUAL_NAMES[key]?.includes(origin) === true ? origin : `${origin}: "${key}"`
}

/** `it must be text`; our own sentences as they are. */
function sentenceOf(issue: Issue): string {
  const words = describeIssue(issue)
  return words === issue.message ? words : `it ${words}`
}

/** The nearest name of the same section; else the setting that has the name, but in another section. */
function suggestion(section: readonly string[], name: string): string {
  const near = closestWord(name, namesIn(section), Math.min(LONGEST_TYPO, Math.ceil(name.length / 3)))
  const key = near === undefined ? listSettings().find(({ path }) => path.at(-1) === name)?.key : [...section, near].join('.')
  return key === undefined ? '; `runyard config` lists them all.' : `; did you mean "${key}"?`
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function valueAt(tree: Tree, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, part) => (isTree(node) ? node[part] : undefined), tree)
}

function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  const last = path.at(-1)
  if (last === undefined) return
  let node = tree
  for (const part of path.slice(0, -1)) {
    const child = node[part]
    const next = isTree(child) ? child : {}
    node[part] = next
    node = next
  }
  node[last] = value
}
