// API keys (ADR 81): what a holder of an `admin` key may do with those of its owner, and the operator with those of all (ADR 38).
import { OPERATOR_OWNER, RunyardError, type ApiKey, type KeyLimits } from '@runyard/schema'
import { ALL_OWNERS } from '@runyard/schema/api'
import { refuseTakenName, type ListedKey, type Store } from '@runyard/store'
import { onlyOperator } from './caller.ts'

/** Of one owner. */
const MOST_KEYS = 1000

type NewKey = Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'limits'> & { readonly ownerId?: string | undefined }

export type KeyModel = ReturnType<typeof createKeyModel>

export function createKeyModel({ keys }: Pick<Store, 'keys'>, clock: () => number = Date.now) {
  /** `owner`: whose; default: the caller's own. @throws RunyardError('forbidden') */
  const list = async (ownerId: string, owner: string = ownerId): Promise<readonly ListedKey[]> => {
    if (owner !== ownerId) onlyOperator(ownerId, 'see keys of another owner')
    const all = (await keys.list()).toSorted((a, b) => a.createdAt - b.createdAt)
    return owner === ALL_OWNERS ? all : all.filter((key) => key.ownerId === owner)
  }
  /** @throws RunyardError('not_found') */
  const get = async (ownerId: string, id: string): Promise<ListedKey> => {
    const seen = await list(ownerId, ownerId === OPERATOR_OWNER ? ALL_OWNERS : ownerId)
    const found = seen.find((key) => key.id === id)
    if (found === undefined) throw new RunyardError('not_found', `There is no API key ${id}.`)
    return found
  }

  /** The answer to a request ends with its key, so the new key would be lost. */
  const findOther = async (by: ApiKey, id: string): Promise<void> => {
    const found = await get(by.ownerId, id)
    if (found.ofFile === true)
      throw new RunyardError('conflict', `"${found.name}" stands in a key file: \`runyard keys rotate\` replaces it where that file is.`)
    if (id === by.id) throw new RunyardError('conflict', 'This is the key of this very request: use another key.')
  }

  return {
    list,
    get,
    /** `by`: the key of the request. @throws RunyardError('bad_request' | 'conflict' | 'forbidden') */
    async create(by: ApiKey, { ownerId = by.ownerId, ...wanted }: NewKey): Promise<{ readonly key: ApiKey; readonly plain: string }> {
      if (ownerId !== by.ownerId) onlyOperator(by.ownerId, 'make a key of another owner')
      if ((wanted.expiresAt ?? Infinity) <= clock()) throw new RunyardError('bad_request', '"expiresAt" must lie in the future.')
      const own = await list(by.ownerId, ownerId)
      refuseTakenName(own, wanted.name)
      if (own.length >= MOST_KEYS)
        throw new RunyardError('conflict', `This owner has ${MOST_KEYS} API keys, which is as many as may be: revoke some.`)
      return keys.create({ ...wanted, ownerId, madeBy: by.id })
    },
    /** @throws RunyardError('not_found' | 'conflict') */
    async limit(ownerId: string, id: string, limits: KeyLimits): Promise<ListedKey> {
      const found = await get(ownerId, id)
      return { ...found, ...(await keys.limit(id, limits)) }
    },
    /** @throws RunyardError('not_found' | 'conflict') */
    async revoke(by: ApiKey, id: string): Promise<void> {
      await findOther(by, id)
      await keys.revoke(id)
    },
    /** @throws RunyardError('not_found' | 'conflict') */
    async rotate(by: ApiKey, id: string): Promise<{ readonly key: ApiKey; readonly plain: string }> {
      await findOther(by, id)
      return keys.rotate(id)
    },
  }
}
