// The stock answer of ServerlessGpuTypes and of the catalogue. The gateway knows no inventory: it says "High" unless the scaler has said that
// no host has a card of that pool. A live client asks once per data centre, one after the other, while its job waits (flash-api §3).
import type { Store } from '@runyard/store'
import type { ManagementModel } from './model.ts'

/** Of pools and types, as the owner's endpoints were answered last. `null` reads as "no availability" in the client. */
export type ReadStock = (ownerId: string) => Promise<(poolOrType: string) => 'High' | null>

export function createStock({ model, store }: { model: Pick<ManagementModel, 'list'>; store: Pick<Store, 'status'> }): ReadStock {
  return async (ownerId) => {
    const endpoints = await model.list(ownerId)
    const statuses = await Promise.all(endpoints.map((endpoint) => store.status.get(endpoint.id)))
    const unserved = endpoints.filter((_, index) => statuses[index]?.reason === 'no_matching_gpu')
    const missing = new Set(unserved.flatMap((endpoint) => endpoint.spec.gpu?.pools ?? []))
    return (poolOrType) => (missing.has(poolOrType) ? null : 'High')
  }
}
