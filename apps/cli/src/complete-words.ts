// What may come next on a command line: the shells' completion scripts ask for it with a hidden command. Names come from the stack, and from a file
// that is two seconds old at most, because a shell asks again at every key.
import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '@runyard/client'
import { createDirs } from '@runyard/kit'
import { optionsOf, type Command, type CommandContext } from './command.ts'
import { COMMANDS, GROUPS } from './commands.ts'
import { findTarget } from './settings.ts'

const FRESH_MS = 2000
const ASK_MS = 1000
/** Other names could be more to a shell than names. */
const SAFE = /^[\w.@:/+-]+$/u

type Kind = 'endpoints' | 'workers' | 'shells' | 'pages' | 'config'
/** Commands whose words are names, where their usage does not say so. */
const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  logs: ['endpoints', 'workers'],
  'webhooks log': ['endpoints'],
  completion: ['shells'],
  open: ['pages'],
  config: ['config'],
}
const FIXED: Partial<Record<Kind, readonly string[]>> = {
  shells: ['bash', 'zsh', 'fish'],
  pages: ['docs', 'api', 'login'],
  config: ['get', 'set', 'path'],
}
/** Groups that are not about endpoints, though their commands take NAME|ID. */
const OTHERS = /^(?:hosts|keys|registries|secrets) /u

/** Prints the words that begin with the last one. Mistakes print nothing, since their text would be taken for words. */
export async function completeWords(words: readonly string[], context: Pick<CommandContext, 'env' | 'cwd' | 'out'>): Promise<number> {
  const last = words.at(-1) ?? ''
  const found = await candidates(words.slice(0, -1), last, context).catch(() => [])
  for (const word of new Set(found)) if (word.startsWith(last) && SAFE.test(word)) context.out.write(`${word}\n`)
  return 0
}

async function candidates(
  before: readonly string[],
  last: string,
  context: Pick<CommandContext, 'env' | 'cwd'>,
): Promise<readonly string[]> {
  const [first, second] = before
  if (first === undefined) return [...COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''), ...Object.keys(GROUPS), '--help', '--version']
  if (second === undefined && Object.hasOwn(GROUPS, first)) return membersOf(first)
  const command = COMMANDS.find(({ name }) => name === first || name === `${first} ${second}`)
  if (command === undefined) return []
  const options = optionsOf(command)
  const open = Object.entries(options).find(([name, { short }]) => [`--${name}`, `-${short}`].includes(before.at(-1) ?? ''))
  if (open?.[1].type === 'string') return open[1].choices ?? (open[0] === 'endpoint' ? namesOf(['endpoints'], context) : [])
  if (last.startsWith('-')) return [...Object.keys(options).map((name) => `--${name}`), '--help']
  return namesOf(kindsOf(command), context)
}

function membersOf(group: string): readonly string[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name.slice(group.length + 1))
}

function kindsOf({ name, words = '' }: Command): readonly Kind[] {
  const isOfEndpoints = words.includes('NAME|ID') && !OTHERS.test(name)
  return KINDS[name] ?? (isOfEndpoints ? ['endpoints'] : [])
}

async function namesOf(kinds: readonly Kind[], context: Pick<CommandContext, 'env' | 'cwd'>): Promise<readonly string[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) => FIXED[kind] ?? (kind === 'workers' ? askStack(kind, context) : askStack('endpoints', context))),
  )
  return lists.flat()
}

async function askStack(kind: 'endpoints' | 'workers', context: Pick<CommandContext, 'env' | 'cwd'>): Promise<readonly string[]> {
  const target = await findTarget({ ...context, options: {} })
  const { XDG_CACHE_HOME: home, HOME } = context.env
  const folder = join(home || join(HOME || homedir(), '.cache'), 'runyard')
  const file = join(folder, `names-${createHash('sha256').update(`${target.url} ${target.key} ${kind}`).digest('hex').slice(0, 16)}.json`)
  const kept = await readKept(file)
  if (kept !== undefined) return kept
  const names = await readNames(kind, createClient(target, { signal: AbortSignal.timeout(ASK_MS) }))
  createDirs(folder)
  await writeFile(`${file}.new`, JSON.stringify({ at: Date.now(), names }), { mode: 0o600 })
  await rename(`${file}.new`, file)
  return names
}

async function readKept(file: string): Promise<readonly string[] | undefined> {
  try {
    const { at, names } = JSON.parse(await readFile(file, 'utf8')) as { at: number; names: string[] }
    return Date.now() - at < FRESH_MS ? names : undefined
  } catch {
    return undefined
  }
}

async function readNames(kind: 'endpoints' | 'workers', client: Client): Promise<readonly string[]> {
  const endpoints = await client.listEndpoints()
  if (kind === 'endpoints') return endpoints.map(({ name }) => name)
  return (await Promise.all(endpoints.map(({ id }) => client.listWorkers(id)))).flat().map(({ id }) => id)
}
