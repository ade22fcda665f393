// API keys (ADR 38): only their SHA-256 is stored. Verification is answered from memory and forgotten on `keys-changed` and `resync`, so a
// revoked key dies with the signal; while Redis is away keys that are known keep working and unknown ones get a 503, not a 401.
import { hash as digest, randomInt, randomUUID } from 'node:crypto'
import { RunyardError, type StoredApiKey } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createKeyUses } from './key-uses.ts'
import { readApiKey } from '../data/records.ts'
import { CREATE_KEY, INSTALL_KEY, REVOKE_KEY, ROTATE_KEY } from '../scripts/api-keys.ts'
import type { ApiKey, KeyStore } from '../types.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const KEY_LENGTH = 32
/** Wrong keys are remembered too, so that guessing does not become load on Redis; bounded, since anybody may send them. */
const CACHE_SIZE = 10_000

const hashOf = (plain: string) => digest('sha256', plain)
export const generateKey = () => `rpa_${Array.from({ length: KEY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`

const toApiKey = ({ hash: _hash, ...key }: StoredApiKey): ApiKey => key

/** What is known of plain keys, by their hash. */
interface KeyCache extends AsyncDisposable {
  /** From memory, else by `lookUp`. */
  find(hash: string, lookUp: () => Promise<ApiKey | undefined>): Promise<ApiKey | undefined>
}

function createKeyCache(signals: StoreContext['signals']): KeyCache {
  const known = new Map<string, ApiKey | undefined>()
  /** Grows with each change: an answer that was on its way during a change is not remembered. */
  let generation = 0
  const subscription = signals.subscribe((signal) => {
    if (signal.kind !== 'keys-changed' && signal.kind !== 'resync') return
    generation += 1
    known.clear()
  })
  return {
    async find(hash, lookUp) {
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

export function createKeyStore(context: StoreContext): KeyStore & AsyncDisposable {
  const { client, keys, signals } = context
  const { records, hashes, uses: usesKey } = keys.apiKeys
  const cache = createKeyCache(signals)
  const uses = createKeyUses(context)

  const lookUp = async (hash: string): Promise<ApiKey | undefined> => {
    const id = await client.hget(hashes, hash)
    // An empty id: that key was revoked.
    const text = id === null || id === '' ? null : await client.hget(records, id)
    return text === null ? undefined : toApiKey(readApiKey(text))
  }

  return {
    ...createKeyChanges(context),

    async verify(plain) {
      const hash = hashOf(plain)
      const key = await cache.find(hash, () => lookUp(hash))
      const now = Date.now()
      if (key === undefined || (key.expiresAt ?? Infinity) <= now) return undefined
      uses.note(key.id, now)
      return key
    },

    async list() {
      const [texts, used] = await Promise.all([client.hgetall(records), client.hgetall(usesKey)])
      const listed = Object.values(texts).map((text) => toApiKey(readApiKey(text)))
      return listed.map((key) => ({ ...key, ...(used[key.id] === undefined ? {} : { lastUsedAt: Number(used[key.id]) }) }))
    },

    async [Symbol.asyncDispose]() {
      await uses[Symbol.asyncDispose]()
      await cache[Symbol.asyncDispose]()
    },
  }
}

function createKeyChanges({ client, keys, run, signals }: StoreContext): Pick<KeyStore, 'create' | 'install' | 'revoke' | 'rotate'> {
  const { records, hashes, uses, slots } = keys.apiKeys
  const signal = { kind: 'keys-changed' } as const
  const told = [signals.channel, signals.encode(signal)]

  return {
    async create({ plain = generateKey(), ...of }) {
      const { key, hash, record } = newRecord(of, plain)
      const isCreated = await run(CREATE_KEY, [records, hashes], [key.id, record, hash, ...told])
      if (isCreated !== 1) throw new RunyardError('conflict', 'This key exists already.')
      signals.deliver(signal)
      return { key, plain }
    },

    async install({ slot, plain, onlyIfAbsent = false, ...of }) {
      const { key, hash, record } = newRecord(of, plain)
      const words = [slot, key.id, record, hash, onlyIfAbsent ? '1' : '0', ...told]
      const isInstalled = await run(INSTALL_KEY, [records, hashes, uses, slots], words)
      signals.deliver(signal)
      return isInstalled === 1
    },

    async revoke(id) {
      const text = await client.hget(records, id)
      if (text === null) return false
      await run(REVOKE_KEY, [records, hashes, uses], [id, readApiKey(text).hash, ...told])
      signals.deliver(signal)
      return true
    },

    async rotate(id, plain = generateKey()) {
      const before = await client.hget(records, id)
      if (before === null) throw new RunyardError('not_found', `There is no API key ${id}.`)
      const stored = readApiKey(before)
      const rotated: StoredApiKey = { ...stored, createdAt: Date.now(), hash: hashOf(plain) }
      const words = [id, before, JSON.stringify(rotated), stored.hash, rotated.hash, ...told]
      const isRotated = await run(ROTATE_KEY, [records, hashes], words)
      if (isRotated !== 1) throw new RunyardError('conflict', 'The key was changed at the same time; try again.')
      signals.deliver(signal)
      return { key: toApiKey(rotated), plain }
    },
  }
}

type NewKey = Pick<ApiKey, 'name' | 'ownerId' | 'expiresAt'>

function newRecord(of: NewKey, plain: string): { readonly key: ApiKey; readonly hash: string; readonly record: string } {
  const key: ApiKey = { id: randomUUID(), ...of, createdAt: Date.now() }
  const hash = hashOf(plain)
  return { key, hash, record: JSON.stringify({ ...key, hash } satisfies StoredApiKey) }
}
