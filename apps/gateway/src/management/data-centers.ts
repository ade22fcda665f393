// The data centers of the pool: labels of its hosts (ADR 71), as the scaler last reported them; before its first report, as configured.
import { DEFAULT_DATA_CENTER, type Config } from '@runyard/schema'
import type { Store } from '@runyard/store'

export interface DataCenter {
  readonly id: string
  /** A host of it has such a card. True where no host has been read yet. */
  readonly hasGpu: (type: string) => boolean
}

/** Sorted by id; never empty. */
export type ReadDataCenters = () => Promise<readonly DataCenter[]>

export interface DataCenterDeps {
  readonly store: Pick<Store, 'hosts'>
  readonly config: Pick<Config, 'hosts'>
}

export function createDataCenters({ store, config }: DataCenterDeps): ReadDataCenters {
  return async () => {
    const inventories = (await store.hosts.list()).flatMap(({ sight }) => sight?.inventory ?? [])
    const seen = inventories.map((host) => ({ id: host.dataCenterId ?? DEFAULT_DATA_CENTER, gpus: host.gpus.map(({ name }) => name) }))
    const configured = (config.hosts ?? []).map((host) => ({ id: host.dataCenter ?? DEFAULT_DATA_CENTER, gpus: undefined }))
    const all = [...seen, ...(seen.length > 0 ? [] : configured)]
    const byId = Map.groupBy(all.length > 0 ? all : [{ id: DEFAULT_DATA_CENTER, gpus: undefined }], ({ id }) => id)
    return [...byId]
      .map(([id, hosts]) => ({ id, hasGpu: (type: string) => hosts.some(({ gpus }) => gpus === undefined || gpus.includes(type)) }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
  }
}
