// API keys (ADR 38): only their SHA-256 is stored. Verification is answered from memory and forgotten on `keys-changed` and `resync`, so a
// revoked key dies with the signal; while Redis is away keys that are known keep working and unknown ones get a 503, not a 401.
// Each change publishes that signal in the same step, so a process that dies right afterwards leaves no stale memory behind.
import { hash as digest, randomInt, randomUUID } from 'node:crypto'
import { RunyardError, type ApiKey, type KeyLimits, type StoredApiKey } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readApiKey } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, nothing } from '../scripts/replies.ts'
import type { KeyUses } from './key-uses.ts'
import { createTaskKeys, isTaskKey } from './task-keys.ts'

export type { ApiKey } from '@runyard/schema'

export interface ListedKey extends ApiKey {
  /** Epoch ms, up to a minute old; absent: never. */
  readonly lastUsedAt?: number
  /** It stands in a key file, from which a gateway would install it again. */
  readonly ofFile?: boolean
}

type NewKey = Omit<ApiKey, 'id' | 'createdAt'>

export interface KeyStore {
  /** The plain key is returned once and never stored (only its SHA-256). `plain` imports a given one. */
  create(options: NewKey & { plain?: string }): Promise<{ key: ApiKey; plain: string }>
  /**
   * Makes `plain` the key of a slot (a key file), in place of the one that it had; `onlyIfAbsent`: unless it has one. False: that key was revoked,
   * and stays so.
   */
  install(options: { slot: string; name: string; ownerId: string; plain: string; onlyIfAbsent?: boolean }): Promise<boolean>
  /** Cached in memory; `keys-changed` empties the cache. */
  verify(plain: string): Promise<ApiKey | undefined>
  /** The key that a task's worker gets, the same on every call; it ends with the task (ADR 72). */
  ofTask(taskId: string): Promise<string>
  list(): Promise<readonly ListedKey[]>
  /** Its limits from now on (ADR 60); those that are not named stay. @throws RunyardError('not_found' | 'conflict') */
  limit(id: string, limits: KeyLimits): Promise<ApiKey>
  /** For good: not even an import brings the key back. False: there is no such id. */
  revoke(id: string): Promise<boolean>
  /** Another key for the same record; the old one is revoked in the same step. @throws RunyardError('not_found' | 'conflict') */
  rotate(id: string, plain?: string): Promise<{ key: ApiKey; plain: string }>
}

/**
 * Commands find a key by its name. Two that are made in the same moment may still get one name; both are found by their ids.
 * @throws RunyardError('conflict')
 */
export function refuseTakenName(own: readonly Pick<ListedKey, 'name' | 'id'>[], name: string): void {
  const taken = own.find((key) => key.name === name)
  if (taken !== undefined)
    throw new RunyardError('conflict', `There is an API key "${name}" already (${taken.id}): choose another name, or revoke that key.`)
}

const always = () => true

const createScript = defineScript(
  {
    lua: new URL('./create-key.lua', import.meta.url),
    keys: ['records', 'hashes'],
    args: { id: 'text', record: 'text', hash: 'text', changed: 'signal' },
    reply: flag,
  },
  { changed: (isCreated) => isCreated },
)

const installScript = defineScript(
  {
    lua: new URL('./install-key.lua', import.meta.url),
    keys: ['records', 'hashes', 'uses', 'slots'],
    args: { slot: 'text', newId: 'text', record: 'text', hash: 'text', onlyIfAbsent: 'flag', changed: 'signal' },
    /** False where that key was revoked. */
    reply: flag,
  },
  { changed: always },
)

const revokeScript = defineScript(
  {
    lua: new URL('./revoke-key.lua', import.meta.url),
    keys: ['records', 'hashes', 'uses'],
    args: { id: 'text', hash: 'text', changed: 'signal' },
    reply: nothing,
  },
  { changed: always },
)

const editScript = defineScript(
  {
    lua: new URL('./edit-key.lua', import.meta.url),
    keys: ['records'],
    args: { id: 'text', before: 'text', after: 'text', changed: 'signal' },
    /** False where the record has changed meanwhile. */
    reply: flag,
  },
  { changed: (isEdited) => isEdited },
)

const rotateScript = defineScript(
  {
    lua: new URL('./rotate-key.lua', import.meta.url),
    keys: ['records', 'hashes'],
    args: { id: 'text', before: 'text', after: 'text', oldHash: 'text', newHash: 'text', changed: 'signal' },
    /** False where the record has changed meanwhile. */
    reply: flag,
  },
  { changed: (isRotated) => isRotated },
)

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const KEY_LENGTH = 32
/** Wrong keys are remembered too, so that guessing does not become load on Redis; bounded, since anybody may send them. */
const CACHE_SIZE = 10_000

const hashOf = (plain: string) => digest('sha256', plain)
export const generateKey = () => `rpa_${Array.from({ length: KEY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`

const toApiKey = ({ hash: _hash, ...key }: StoredApiKey): ApiKey => key

/** What is known of plain keys, by their hash. */
function createKeyCache(signals: StoreContext['signals']) {
  const known = new Map<string, ApiKey | undefined>()
  /** Grows with each change: an answer that was on its way during a change is not remembered. */
  let generation = 0
  const subscription = signals.subscribe((signal) => {
    if (signal.kind !== 'keys-changed' && signal.kind !== 'resync') return
    generation += 1
    known.clear()
  })
  return {
    /** From memory, else by `lookUp`. */
    async find(hash: string, lookUp: () => Promise<ApiKey | undefined>): Promise<ApiKey | undefined> {
      if (known.has(hash)) return known.get(hash)
      const before = generation
      const key = await lookUp()
      if (known.size >= CACHE_SIZE) known.clear()
      if (before === generation) known.set(hash, key)
      return key
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  }
}

export function createKeyStore(context: StoreContext, uses: Pick<KeyUses, 'note'>): KeyStore & AsyncDisposable {
  const { client, keys, signals } = context
  const { records, hashes, slots, uses: usesKey } = keys.apiKeys
  const cache = createKeyCache(signals)
  const tasks = createTaskKeys(context)

  const lookUp = async (hash: string): Promise<ApiKey | undefined> => {
    const id = await client.hget(hashes, hash)
    // An empty id: that key was revoked.
    const text = id === null || id === '' ? null : await client.hget(records, id)
    return text === null ? undefined : toApiKey(readApiKey(text))
  }

  return {
    ...createKeyChanges(context),

    ofTask: (taskId) => tasks.of(taskId),

    async verify(plain) {
      if (isTaskKey(plain)) return tasks.verify(plain)
      const hash = hashOf(plain)
      const key = await cache.find(hash, () => lookUp(hash))
      const now = Date.now()
      if (key === undefined || (key.expiresAt ?? Infinity) <= now) return undefined
      uses.note(key.id, now)
      return key
    },

    async list() {
      const [texts, used, installed] = await Promise.all([client.hgetall(records), client.hgetall(usesKey), client.hvals(slots)])
      const listed = Object.values(texts).map((text) => toApiKey(readApiKey(text)))
      return listed.map((key) => ({
        ...key,
        ...(used[key.id] === undefined ? {} : { lastUsedAt: Number(used[key.id]) }),
        ...(installed.includes(key.id) ? { ofFile: true } : {}),
      }))
    },

    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  }
}

function createKeyChanges({ client, keys, run }: StoreContext): Pick<KeyStore, 'create' | 'install' | 'limit' | 'revoke' | 'rotate'> {
  const { records, hashes, uses, slots } = keys.apiKeys
  const changed = { kind: 'keys-changed' } as const
  const find = async (id: string) => {
    const before = await client.hget(records, id)
    if (before === null) throw new RunyardError('not_found', `There is no API key ${id}.`)
    return { before, stored: readApiKey(before) }
  }

  return {
    async create({ plain = generateKey(), ...of }) {
      const { key, hash, record } = newRecord(of, plain)
      const isCreated = await run(createScript, { records, hashes, id: key.id, record, hash, changed })
      if (!isCreated) throw new RunyardError('conflict', 'This key exists already.')
      return { key, plain }
    },

    async install({ slot, plain, onlyIfAbsent = false, ...of }) {
      const { key, hash, record } = newRecord(of, plain)
      return run(installScript, { records, hashes, uses, slots, slot, newId: key.id, record, hash, onlyIfAbsent, changed })
    },

    async limit(id, limits) {
      const { before, stored } = await find(id)
      const edited: StoredApiKey = { ...stored, limits: { ...stored.limits, ...limits } }
      if (!(await run(editScript, { records, id, before, after: JSON.stringify(edited), changed }))) throw changedMeanwhile()
      return toApiKey(edited)
    },

    async revoke(id) {
      const text = await client.hget(records, id)
      if (text === null) return false
      await run(revokeScript, { records, hashes, uses, id, hash: readApiKey(text).hash, changed })
      return true
    },

    async rotate(id, plain = generateKey()) {
      const { before, stored } = await find(id)
      const rotated: StoredApiKey = { ...stored, createdAt: Date.now(), hash: hashOf(plain) }
      const after = JSON.stringify(rotated)
      const isRotated = await run(rotateScript, {
        records,
        hashes,
        id,
        before,
        after,
        oldHash: stored.hash,
        newHash: rotated.hash,
        changed,
      })
      if (!isRotated) throw changedMeanwhile()
      return { key: toApiKey(rotated), plain }
    },
  }
}

const changedMeanwhile = () => new RunyardError('conflict', 'The key was changed at the same time; try again.')

function newRecord(of: NewKey, plain: string): { readonly key: ApiKey; readonly hash: string; readonly record: string } {
  const key: ApiKey = { id: randomUUID(), ...of, createdAt: Date.now() }
  const hash = hashOf(plain)
  return { key, hash, record: JSON.stringify({ ...key, hash } satisfies StoredApiKey) }
}
