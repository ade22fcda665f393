// API keys: only their SHA-256 is stored. Verification is answered from memory and forgotten on `keys-changed` and `resync`, so a
// revoked key dies with the signal; while Redis is away keys that are known keep working and unknown ones get a 503, not a 401.
import { hash as digest, randomInt, randomUUID } from 'node:crypto'
import { RunyardError } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { CREATE_KEY, REVOKE_KEY } from './scripts/api-keys.ts'
import type { ApiKey, KeyStore } from './types.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const KEY_LENGTH = 32
/** Wrong keys are remembered too, so that guessing does not become load on Redis; bounded, since anybody may send them. */
const CACHE_SIZE = 10_000

const hashOf = (plain: string) => digest('sha256', plain)
const generate = () => `rpa_${Array.from({ length: KEY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`

type StoredKey = ApiKey & { readonly hash: string }
const toApiKey = ({ hash: _hash, ...key }: StoredKey): ApiKey => key

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

export function createKeyStore({ client, keys, run, signals }: StoreContext): KeyStore & AsyncDisposable {
  const { records, hashes } = keys.apiKeys
  const cache = createKeyCache(signals)
  const signal = { kind: 'keys-changed' } as const
  const told = [signals.channel, signals.encode(signal)]

  const read = async (id: string): Promise<StoredKey | undefined> => {
    const text = await client.hget(records, id)
    return text === null ? undefined : (JSON.parse(text) as StoredKey)
  }
  const lookUp = async (hash: string): Promise<ApiKey | undefined> => {
    const id = await client.hget(hashes, hash)
    const stored = id === null ? undefined : await read(id)
    return stored === undefined ? undefined : toApiKey(stored)
  }

  return {
    async create({ name, ownerId, plain = generate() }) {
      const key: ApiKey = { id: randomUUID(), name, ownerId, createdAt: Date.now() }
      const hash = hashOf(plain)
      const record = JSON.stringify({ ...key, hash } satisfies StoredKey)
      const isCreated = await run(CREATE_KEY, [records, hashes], [key.id, record, hash, ...told])
      if (isCreated !== 1) throw new RunyardError('conflict', 'This key exists already.')
      signals.deliver(signal)
      return { key, plain }
    },

    verify: (plain) => {
      const hash = hashOf(plain)
      return cache.find(hash, () => lookUp(hash))
    },

    list: async () => Object.values(await client.hgetall(records)).map((text) => toApiKey(JSON.parse(text) as StoredKey)),

    async revoke(id) {
      const stored = await read(id)
      if (stored === undefined) return false
      await run(REVOKE_KEY, [records, hashes], [id, stored.hash, ...told])
      signals.deliver(signal)
      return true
    },

    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  }
}
