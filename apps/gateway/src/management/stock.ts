// The stock answer of ServerlessGpuTypes and of the catalogue. The gateway knows no inventory: it says "High" unless the scaler has said that no host has a
// card of that pool. A live client asks once per data centre, one after the other, while its job waits (flash-api §3).
import type { Store } from '@runyard/store'
import type { ManagementModel } from './model.ts'

/** `null` reads as "no availability" in the client. */
export type StockOf = (ownerId: string, poolOrType: string) => Promise<'High' | null>

export function createStock({ model, store }: { model: Pick<ManagementModel, 'list'>; store: Pick<Store, 'status'> }): StockOf {
  return async (ownerId, poolOrType) => {
    const endpoints = await model.list(ownerId)
    const asking = endpoints.filter((endpoint) => endpoint.spec.gpu?.pools.includes(poolOrType) === true)
    const statuses = await Promise.all(asking.map((endpoint) => store.status.get(endpoint.id)))
    return statuses.some((status) => status?.reason === 'no_matching_gpu') ? null : 'High'
  }
}
