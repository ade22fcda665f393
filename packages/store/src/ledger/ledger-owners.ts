// The owners of the ledger's endpoints, also of deleted ones.
import type { StoreContext } from '../context.ts'
import { createEndpointLists } from '../endpoints/endpoint-lists.ts'

export interface LedgerOwner {
  /** '' if it is no longer known. */
  readonly ownerId: string
  readonly isGone: boolean
}

export async function findOwners(context: StoreContext, ids: Iterable<string>): Promise<(endpointId: string) => LedgerOwner> {
  const lists = createEndpointLists(context)
  const live = new Map((await lists.all()).map(({ id, ownerId }) => [id as string, ownerId]))
  const gone = await lists.goneOwners([...new Set(ids)].filter((id) => !live.has(id)))
  return (id) => ({ ownerId: live.get(id) ?? gone.get(id) ?? '', isGone: !live.has(id) })
}
