// `runyard keys`: API keys of the stack that the other commands use, over its routes (ADR 81). Only the key of a data directory is rotated here, because its
// file is on this machine (ADR 38).
import { createClient, type Client } from '@runyard/client'
import { KEY_SCOPES, OPERATOR_OWNER, type KeyLimits, type KeyScope, RunyardError } from '@runyard/schema'
import { ALL_OWNERS, type CreateKeyBody, type KeyView, type NewKeyView } from '@runyard/schema/api'
import { generateKey, openStore, storeOptionsOf, type Store } from '@runyard/store'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { onlyWord, unknownWord } from '../only-word.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime } from '../output/time.ts'
import { findClient, findTarget, loadSettings, type Settings } from '../settings.ts'
import { writeKey } from '../stack/data-dir.ts'
import { findOwnRedis } from '../stack/redis.ts'

const SHORT_ID = 8
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export async function create(context: CommandContext): Promise<number> {
  const request = readRequest(context, Date.now())
  const client = await findClient(context)
  return tellKey(context, await client.keys.create(request), 'made')
}

export async function list(context: CommandContext): Promise<number> {
  const keys = await listKeys(await findClient(context))
  const sorted = keys.toSorted((a, b) => a.ownerId.localeCompare(b.ownerId))
  return printListing(context, keyListing(context, sorted, sorted))
}

export async function limit(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const limits = readLimits(context)
  if (limits === undefined) throw new UsageError('name what is limited: --workers N, --queued N, or "none" for no limit.')
  const client = await findClient(context)
  const key = await client.keys.limit((await findKey(client, word)).id, limits)
  return printListing(context, keyListing(context, [key], key))
}

export async function revoke(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const client = await findClient(context)
  const key = await findKey(client, word)
  await client.keys.revoke(key.id)
  context.out.line(`${key.name} (${key.id}) is revoked`)
  return 0
}

export async function rotate(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const { dataDir, ...target } = await findTarget(context)
  const client = createClient(target)
  const key = await findKey(client, word)
  const isOfDirectory = dataDir !== undefined && key.ofFile && (await client.session.read()).id === key.id
  const rotated = isOfDirectory ? { ...key, key: await rotateFile(context, dataDir, key.id) } : await client.keys.rotate(key.id)
  return tellKey(context, rotated, 'rotated')
}

/** The file first: after an interruption in between, the next start of the gateway accepts the new key instead of the old one. */
async function rotateFile(context: CommandContext, dataDir: string, id: string): Promise<string> {
  const plain = generateKey()
  await withStore({ ...context, options: { ...context.options, data: dataDir } }, 'keys', async ({ keys }) => {
    await writeKey(dataDir, plain)
    await keys.rotate(id, plain)
  })
  return plain
}

/** Those of all owners, if the caller is the operator. */
async function listKeys(client: Client): Promise<readonly KeyView[]> {
  const { ownerId } = await client.session.read()
  return client.keys.list(ownerId === OPERATOR_OWNER ? ALL_OWNERS : undefined)
}

function readRequest(context: CommandContext, now: number): CreateKeyBody {
  const name = textOption(context, 'name')
  if (name === undefined) throw new UsageError('a new key needs --name, so that it can be found again.')
  const ownerId = textOption(context, 'owner')
  const expires = textOption(context, 'expires')
  const limits = readLimits(context)
  return {
    name,
    scopes: readScopes(textOption(context, 'scope') ?? 'admin'),
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(expires === undefined ? {} : { expiresAt: new Date(parseExpiry(expires, now)).toISOString() }),
    ...(limits === undefined ? {} : { limits }),
  }
}

/** @throws UsageError */
function readScopes(text: string): KeyScope[] {
  const words = [...new Set(text.split(',').map((word) => word.trim()))]
  const known = words.flatMap((word) => KEY_SCOPES.filter((scope) => scope === word))
  if (known.length === words.length) return known
  const odd = words.find((word) => !KEY_SCOPES.some((scope) => scope === word))
  throw new UsageError(`--scope takes ${KEY_SCOPES.join(', ')}, several with commas; "${odd}" is none of them.`)
}

/** Those that are named; undefined: none is. @throws UsageError */
function readLimits(context: CommandContext): KeyLimits | undefined {
  const [workers, queuedJobs] = ['workers', 'queued'].map((name) => readLimit(name, textOption(context, name)))
  if (workers === undefined && queuedJobs === undefined) return undefined
  return { ...(workers === undefined ? {} : { workers }), ...(queuedJobs === undefined ? {} : { queuedJobs }) }
}

function readLimit(name: string, text: string | undefined): number | null | undefined {
  if (text === undefined || text === 'none') return text === undefined ? undefined : null
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--${name} takes a whole number from 1, or none; "${text}" is neither.`)
}

/** `24h`, `90d`, or a date. Epoch ms. @throws UsageError */
export function parseExpiry(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const at = amount === undefined ? Date.parse(text) : now + Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]
  if (at > now) return at
  throw new UsageError(`--expires takes a span such as 24h or 90d, or a future date such as 2027-11-01; "${text}" is neither.`)
}

const onlyKey = (context: CommandContext): string => onlyWord(context, 'key', 'keys')

/** By its id or a prefix of it, else by its name. @throws RunyardError('not_found'), UsageError if several match */
async function findKey(client: Client, word: string): Promise<KeyView> {
  const all = await listKeys(client)
  const named = all.filter(({ name }) => name === word)
  const fitting = named.length > 0 ? named : all.filter(({ id }) => word.length >= SHORT_ID && id.startsWith(word))
  const [found, ...more] = fitting
  if (found === undefined) {
    throw unknownWord(
      word,
      all.map(({ name }) => name),
      { what: 'key', group: 'keys' },
    )
  }
  if (more.length === 0) return found
  throw new UsageError(
    `${fitting.length} keys are called "${word}"; name one by its id: ${fitting.map(({ id }) => shorten(id)).join(', ')}.`,
  )
}

/** Only the key goes to stdout, so that a script can read it. */
function tellKey({ out, err, options }: CommandContext, key: NewKeyView, done: 'made' | 'rotated'): number {
  if (options['json'] === true) return printJson(out, key)
  const until = key.expiresAt === null ? '' : `, valid until ${key.expiresAt.slice(0, 16).replace('T', ' ')} UTC`
  err.line(`${key.name} (${shorten(key.id)}) of owner ${key.ownerId} is ${done}${until}. The key is shown this once:`)
  out.line(key.key)
  return 0
}

export function keyListing(context: Pick<CommandContext, 'out' | 'options'>, rows: readonly KeyView[], data: unknown): Listing<KeyView> {
  const { out } = context
  const form = timeFormOf(context)
  // They would not fit into a column.
  const isFitted = out.isTty && out.form !== 'wide'
  const now = Date.now()
  const timeOf = (at: string | null): string => (at === null ? 'never' : formatTime(Date.parse(at), form, now))
  const isOver = ({ expiresAt: at }: KeyView): boolean => at !== null && Date.parse(at) <= now
  return {
    rows,
    columns: [
      { title: 'id', cell: ({ id }) => id, cut: 'id' },
      { title: 'owner', cell: ({ ownerId }) => ownerId, cut: 'middle', goes: 3 },
      { title: 'name', cell: ({ name }) => name, cut: 'middle' },
      { title: 'scopes', cell: ({ scopes }) => scopes.join(','), cut: 'end' },
      { title: 'made', cell: ({ createdAt }) => timeOf(createdAt), goes: 4 },
      { title: 'last used', cell: ({ lastUsedAt }) => timeOf(lastUsedAt), goes: 1 },
      {
        title: 'expires',
        cell: (key) => (isOver(key) ? 'expired' : timeOf(key.expiresAt)),
        paint: (key) => (isOver(key) ? out.bad : (text) => text),
        goes: 2,
      },
      ...(isFitted ? [] : [{ title: 'limits', cell: limitsOf }]),
    ],
    ...(isFitted && { note: (key: KeyView) => (Object.keys(key.limits).length === 0 ? undefined : limitsOf(key)) }),
    data,
    empty: 'no keys',
  }
}

/** `3 workers, no limit of queued jobs`; what is not set follows the configuration. */
function limitsOf({ limits: { workers, queuedJobs } }: KeyView): string {
  const words = (most: number | null | undefined, what: string): readonly string[] =>
    most === undefined ? [] : [most === null ? `no limit of ${what}` : `${most} ${what}`]
  const set = [...words(workers, 'workers'), ...words(queuedJobs, 'queued jobs')]
  return set.length === 0 ? 'default' : set.join(', ')
}

const shorten = (id: string): string => id.slice(0, SHORT_ID)

const CONNECT_WAIT_MS = 5000

/** For the one change that has no route, the key of the data directory (ADR 38). `what` completes "no Runyard runs, and … are in its Redis". @throws RunyardError if no Redis responds. */
async function withStore<T>(
  context: Pick<CommandContext, 'options' | 'env' | 'cwd'>,
  what: string,
  use: (store: Store, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await loadSettings(context)
  const redisUrl = settings.config.redis.url ?? (await findOwnRedis(settings.dataDir))
  if (redisUrl === undefined) {
    throw new RunyardError(
      'not_found',
      `no Runyard runs on ${settings.dataDir}, and ${what} are in its Redis; start it with \`./runyard up\`, or name its directory with --data DIR.`,
    )
  }
  await using store = await openStore({ ...storeOptionsOf(settings.config, `runyard-${what}`), redisUrl, connectWaitMs: CONNECT_WAIT_MS })
  return await use(store, settings)
}
