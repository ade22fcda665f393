// Sessions of browsers (ADR 89): each belongs to one API key and ends with it. Redis has the SHA-256 of a session and of a one-time code, never the thing
// itself, so who reads Redis cannot sign in. A session is looked at anew every few minutes, which also makes it last longer; between, and while Redis is
// away, memory answers. What changes keys empties the memory, so a revoked key ends its sessions at once.
import { hash as digest, randomBytes, randomInt } from 'node:crypto'
import { RunyardError, SessionBinding, type ApiKey } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readApiKey } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'
import type { KeyUses } from './key-uses.ts'

export interface SessionStore {
  /** Of an API key; undefined: it is unknown, was revoked or has expired, or is one of a task. */
  beginByKey(plain: string): Promise<string | undefined>
  /** A code works once. Undefined: it is unknown, was used, or is too old, or its key has ended. */
  beginByCode(code: string): Promise<string | undefined>
  /** A one-time code whose session has the rights of the key with this id. @throws RunyardError('not_found') */
  createCode(keyId: string): Promise<{ readonly code: string; readonly expiresAt: number }>
  /** The key that the session belongs to; undefined: it has ended. */
  verify(session: string): Promise<ApiKey | undefined>
  end(session: string): Promise<void>
}

const MINUTE_MS = 60_000
/** Since its last use. */
const SESSION_MS = 12 * 60 * MINUTE_MS
const CODE_MS = 10 * MINUTE_MS
const LOOK_EVERY_MS = 10 * MINUTE_MS
const TOKEN_BYTES = 32
/** Without letters that look like digits. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 12
const CODE_GROUP = /.{4}(?=.)/gu
/** Wrong ones are remembered, too; anybody may send them. */
const MOST_KNOWN = 10_000

const endScript = defineScript(
  {
    lua: new URL('./end-session.lua', import.meta.url),
    keys: ['session'],
    args: { changed: 'signal' },
    reply: nothing,
  },
  { changed: () => true },
)

const hashOf = (secret: string) => digest('sha256', secret)
const plainCode = (code: string) => code.toUpperCase().replaceAll(/[^0-9A-Z]/gu, '')

export function createSessionStore(context: StoreContext, uses: Pick<KeyUses, 'note'>): SessionStore & AsyncDisposable {
  const { client, keys, run } = context
  const { hashes } = keys.apiKeys
  const bindings = createBindings(context)
  const memory = createMemory(context.signals)

  const begin = async (binding: SessionBinding): Promise<string | undefined> => {
    if ((await bindings.keyOf(binding)) === undefined) return undefined
    const session = randomBytes(TOKEN_BYTES).toString('base64url')
    await client.set(keys.session(hashOf(session)), JSON.stringify(binding), 'PX', SESSION_MS)
    return session
  }
  const lookUp = async (hash: string): Promise<ApiKey | undefined> => {
    const text = await client.getex(keys.session(hash), 'PX', SESSION_MS)
    return text === null ? undefined : bindings.keyOf(SessionBinding.parse(JSON.parse(text)))
  }

  return {
    async beginByKey(plain) {
      const keyHash = hashOf(plain)
      const keyId = await client.hget(hashes, keyHash)
      // An empty id: that key was revoked.
      return keyId === null || keyId === '' ? undefined : begin({ keyId, keyHash })
    },

    async beginByCode(code) {
      const text = await client.getdel(keys.sessionCode(hashOf(plainCode(code))))
      return text === null ? undefined : begin(SessionBinding.parse(JSON.parse(text)))
    },

    async createCode(keyId) {
      const binding = await bindings.bindingOf(keyId)
      const plain = Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')
      await client.set(keys.sessionCode(hashOf(plain)), JSON.stringify(binding), 'PX', CODE_MS)
      return { code: plain.replaceAll(CODE_GROUP, '$&-'), expiresAt: Date.now() + CODE_MS }
    },

    async verify(session) {
      const hash = hashOf(session)
      const key = await memory.find(hash, () => lookUp(hash))
      if (key !== undefined) uses.note(key.id, Date.now())
      return key
    },

    async end(session) {
      await run(endScript, { session: keys.session(hashOf(session)), changed: { kind: 'keys-changed' } })
    },

    [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
  }
}

function createBindings({ client, keys }: Pick<StoreContext, 'client' | 'keys'>) {
  const { records } = keys.apiKeys
  return {
    /** The key, as long as its secret is the one that signed in and it has not expired. */
    async keyOf({ keyId, keyHash }: SessionBinding): Promise<ApiKey | undefined> {
      const text = await client.hget(records, keyId)
      if (text === null) return undefined
      const { hash, ...key } = readApiKey(text)
      return hash === keyHash && !isExpired(key) ? key : undefined
    },
    async bindingOf(keyId: string): Promise<SessionBinding> {
      const text = await client.hget(records, keyId)
      if (text === null) throw new RunyardError('not_found', `There is no API key ${keyId}.`)
      return { keyId, keyHash: readApiKey(text).hash }
    },
  }
}

/** Keys of sessions by their hash. */
function createMemory(signals: StoreContext['signals']) {
  const known = new Map<string, { readonly key: ApiKey | undefined; readonly until: number }>()
  /** Grows with each change: an answer that was on its way during a change is not remembered. */
  let generation = 0
  const subscription = signals.subscribe(({ kind }) => {
    if (kind !== 'keys-changed' && kind !== 'resync') return
    generation += 1
    known.clear()
  })
  return {
    async find(hash: string, lookUp: () => Promise<ApiKey | undefined>): Promise<ApiKey | undefined> {
      const now = Date.now()
      const found = known.get(hash)
      if (found !== undefined && found.until > now) return found.key !== undefined && isExpired(found.key) ? undefined : found.key
      const before = generation
      const key = await lookUp()
      if (known.size >= MOST_KNOWN) known.clear()
      if (before === generation) known.set(hash, { key, until: now + LOOK_EVERY_MS })
      return key
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  }
}

const isExpired = ({ expiresAt = Infinity }: Pick<ApiKey, 'expiresAt'>): boolean => expiresAt <= Date.now()
