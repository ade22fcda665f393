// `runyard keys`: manages API keys directly in the Redis of the stack (ADR 38). The store's signal notifies every gateway of changes.
import { scopesOf } from '@runyard/core'
import { KEY_SCOPES, type KeyLimits, type KeyScope } from '@runyard/schema'
import { generateKey, refuseTakenName, type ApiKey, type ListedKey, type Store } from '@runyard/store'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { onlyWord, unknownWord } from '../only-word.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime } from '../output/time.ts'
import type { Settings } from '../settings.ts'
import { keyFile, readKey, writeKey } from '../stack/data-dir.ts'
import { withStore } from '../stack/with-store.ts'

/** Owner of the key of the data directory, and of keys without an owner. */
const DEFAULT_OWNER = 'owner'
const LONGEST_NAME = 100
const SHORT_ID = 8
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export async function create(context: CommandContext): Promise<number> {
  const request = readRequest(context, Date.now())
  const { plain, key } = await withKeys(context, async ({ keys }) => {
    refuseTakenName(
      (await keys.list()).filter(({ ownerId }) => ownerId === request.ownerId),
      request.name,
    )
    return keys.create(request)
  })
  return tellKey(context, { plain, key, done: 'made' })
}

export async function list(context: CommandContext): Promise<number> {
  const keys = await withKeys(context, (store) => store.keys.list())
  const sorted = keys.toSorted((a, b) => a.ownerId.localeCompare(b.ownerId) || a.createdAt - b.createdAt)
  return printListing(context, keyListing(context, sorted, sorted))
}

export async function limit(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const limits = readLimits(context)
  if (limits === undefined) throw new UsageError('name what is limited: --workers N, --queued N, or "none" for no limit.')
  const key = await withKeys(context, async (store) => {
    const found = await findKey(store, word)
    return { ...found, ...(await store.keys.limit(found.id, limits)) }
  })
  return printListing(context, keyListing(context, [key], key))
}

export async function revoke(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const key = await withKeys(context, async (store, settings) => {
    const found = await findKey(store, word)
    if (await isKeyOfFile(store, settings, found)) {
      throw new UsageError(
        `${found.name} is the key of ${keyFile(settings.dataDir)}, which \`up\` and these commands use; \`runyard keys rotate\` replaces it.`,
      )
    }
    await store.keys.revoke(found.id)
    return found
  })
  context.out.line(`${key.name} (${key.id}) is revoked`)
  return 0
}

export async function rotate(context: CommandContext): Promise<number> {
  const word = onlyKey(context)
  const rotated = await withKeys(context, async (store, settings) => {
    const found = await findKey(store, word)
    const plain = generateKey()
    // The file first: after an interruption in between, the next start of the gateway accepts the new key instead of the old one.
    if (await isKeyOfFile(store, settings, found)) await writeKey(settings.dataDir, plain)
    return store.keys.rotate(found.id, plain)
  })
  return tellKey(context, { ...rotated, done: 'rotated' })
}

/** @throws RunyardError if no Redis responds. */
function withKeys<T>(context: CommandContext, use: (store: Store, settings: Settings) => Promise<T>): Promise<T> {
  return withStore(context, 'keys', use)
}

function readRequest(context: CommandContext, now: number): Pick<ApiKey, 'name' | 'ownerId' | 'expiresAt' | 'limits' | 'scopes'> {
  const name = textOption(context, 'name') ?? ''
  if (name.trim() === '') throw new UsageError('a new key needs --name, so that it can be found again.')
  if (name.length > LONGEST_NAME || /\p{C}/u.test(name)) throw new UsageError(`--name takes up to ${LONGEST_NAME} visible characters.`)
  const ownerId = textOption(context, 'owner') ?? DEFAULT_OWNER
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u.test(ownerId)) {
    throw new UsageError(`--owner takes up to 64 letters, digits, ".", "_" and "-"; "${ownerId}" is no such word.`)
  }
  const expires = textOption(context, 'expires')
  const limits = readLimits(context)
  const scopes = readScopes(textOption(context, 'scope'))
  return {
    name,
    ownerId,
    ...(scopes === undefined ? {} : { scopes }),
    ...(expires === undefined ? {} : { expiresAt: parseExpiry(expires, now) }),
    ...(limits === undefined ? {} : { limits }),
  }
}

/** Undefined: not named. @throws UsageError */
function readScopes(text: string | undefined): KeyScope[] | undefined {
  if (text === undefined) return undefined
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
async function findKey({ keys }: Store, word: string): Promise<ListedKey> {
  const all = await keys.list()
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

async function isKeyOfFile({ keys }: Store, { dataDir }: Settings, { id }: ApiKey): Promise<boolean> {
  const plain = await readKey(dataDir)
  return plain !== undefined && (await keys.verify(plain))?.id === id
}

/** Only the key goes to stdout, so that a script can read it. */
function tellKey({ out, err, options }: CommandContext, { plain, key, done }: { plain: string; key: ApiKey; done: string }): number {
  if (options['json'] === true) return printJson(out, { ...key, key: plain })
  const until = key.expiresAt === undefined ? '' : `, valid until ${time(key.expiresAt)} UTC`
  err.line(`${key.name} (${shorten(key.id)}) of owner ${key.ownerId} is ${done}${until}. The key is shown this once:`)
  out.line(plain)
  return 0
}

export function keyListing(
  context: Pick<CommandContext, 'out' | 'options'>,
  rows: readonly ListedKey[],
  data: unknown,
): Listing<ListedKey> {
  const { out } = context
  const form = timeFormOf(context)
  // They would not fit into a column.
  const isFitted = out.isTty && out.form !== 'wide'
  const now = Date.now()
  const expiryOf = ({ expiresAt: at }: ListedKey): string =>
    at === undefined ? 'never' : at <= now ? 'expired' : formatTime(at, form, now)
  return {
    rows,
    columns: [
      { title: 'id', cell: ({ id }) => id, cut: 'id' },
      { title: 'owner', cell: ({ ownerId }) => ownerId, cut: 'middle', goes: 3 },
      { title: 'name', cell: ({ name }) => name, cut: 'middle' },
      { title: 'scopes', cell: (key) => scopesOf(key).join(','), cut: 'end' },
      { title: 'made', cell: ({ createdAt }) => formatTime(createdAt, form, now), goes: 4 },
      { title: 'last used', cell: ({ lastUsedAt: at }) => (at === undefined ? 'never' : formatTime(at, form, now)), goes: 1 },
      {
        title: 'expires',
        cell: expiryOf,
        paint: ({ expiresAt }) => (expiresAt !== undefined && expiresAt <= now ? out.bad : (text) => text),
        goes: 2,
      },
      ...(isFitted ? [] : [{ title: 'limits', cell: limitsOf }]),
    ],
    ...(isFitted && { note: (key: ListedKey) => (key.limits === undefined ? undefined : limitsOf(key)) }),
    data,
    empty: 'no keys',
  }
}

/** `3 workers, no limit of queued jobs`; what is not set follows the configuration. */
function limitsOf({ limits: { workers, queuedJobs } = {} }: ApiKey): string {
  const words = (most: number | null | undefined, what: string): readonly string[] =>
    most === undefined ? [] : [most === null ? `no limit of ${what}` : `${most} ${what}`]
  const set = [...words(workers, 'workers'), ...words(queuedJobs, 'queued jobs')]
  return set.length === 0 ? 'default' : set.join(', ')
}

const shorten = (id: string): string => id.slice(0, SHORT_ID)
const time = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')
