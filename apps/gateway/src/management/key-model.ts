// The API keys of one owner (ADR 81): what a holder of an `admin` key may do. The operator's commands have no such bounds, since a user who can
// read the data directory may do anything (ADR 38).
import { RunyardError, type ApiKey } from '@runyard/schema'
import { refuseTakenName, type ListedKey, type Store } from '@runyard/store'

/** Of one owner. */
const MOST_KEYS = 1000

type NewKey = Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'limits'>

export interface KeyModel {
  list(ownerId: string): Promise<readonly ListedKey[]>
  /** @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<ListedKey>
  /** `by`: the key of the request. @throws RunyardError('bad_request' | 'conflict') */
  create(by: ApiKey, wanted: NewKey): Promise<{ readonly key: ApiKey; readonly plain: string }>
  /** @throws RunyardError('not_found' | 'conflict') */
  revoke(by: ApiKey, id: string): Promise<void>
  /** @throws RunyardError('not_found' | 'conflict') */
  rotate(by: ApiKey, id: string): Promise<{ readonly key: ApiKey; readonly plain: string }>
}

export function createKeyModel({ keys }: Pick<Store, 'keys'>, clock: () => number = Date.now): KeyModel {
  const list: KeyModel['list'] = async (ownerId) =>
    (await keys.list()).filter((key) => key.ownerId === ownerId).toSorted((a, b) => a.createdAt - b.createdAt)
  const get: KeyModel['get'] = async (ownerId, id) => {
    const found = (await list(ownerId)).find((key) => key.id === id)
    if (found === undefined) throw new RunyardError('not_found', `There is no API key ${id}.`)
    return found
  }

  /** The answer to a request ends with its key, so the new key would be lost. */
  const findOther = async (by: ApiKey, id: string): Promise<void> => {
    const found = await get(by.ownerId, id)
    if (id === by.id) throw new RunyardError('conflict', 'This is the key of this very request: use another key, or `runyard keys`.')
    if (found.ofFile === true)
      throw new RunyardError('conflict', `"${found.name}" stands in a key file of the operator: only \`runyard keys\` can change it.`)
  }

  return {
    list,
    get,
    async create(by, wanted) {
      if ((wanted.expiresAt ?? Infinity) <= clock()) throw new RunyardError('bad_request', '"expiresAt" must lie in the future.')
      const own = await list(by.ownerId)
      refuseTakenName(own, wanted.name)
      if (own.length >= MOST_KEYS)
        throw new RunyardError('conflict', `This owner has ${MOST_KEYS} API keys, which is as many as may be: revoke some.`)
      return keys.create({ ...wanted, ownerId: by.ownerId, madeBy: by.id })
    },
    async revoke(by, id) {
      await findOther(by, id)
      await keys.revoke(id)
    },
    async rotate(by, id) {
      await findOther(by, id)
      return keys.rotate(id)
    },
  }
}
