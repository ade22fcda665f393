// Where the data of a volume is, and which hosts a worker with a volume may go to (ADR 71). Each host has one store of volumes: its own, or one that
// it shares with the hosts of its data center. The first worker of a volume chooses the store; later ones follow.
import { DEFAULT_DATA_CENTER, type Endpoint, type HostInventory, type Volume } from '@runyard/schema'

/** A volume as placement sees it. */
export interface VolumePlace extends Pick<Volume, 'id' | 'name' | 'dataCenterId'> {
  /** Undefined: no worker has used it yet, so it may be anywhere in its data center. */
  readonly storeId: string | undefined
  /** An endpoint names it, and it does not exist any more. */
  readonly isGone?: boolean
}

/** What a worker needs: of each row, one volume. The volumes of an endpoint are one row, because each is for another data center (management §2.1). */
export type VolumeNeeds = readonly (readonly VolumePlace[])[]

/** `stores`: where the data of volumes is. A task has all its volumes, each at a path of its own (ADR 72). */
export function volumeNeeds(
  { spec: { networkVolumeIds }, task }: Pick<Endpoint, 'spec' | 'task'>,
  volumes: ReadonlyMap<string, Volume>,
  stores: ReadonlyMap<string, string>,
): VolumeNeeds {
  const row = networkVolumeIds.map((id): VolumePlace => {
    const volume = volumes.get(id)
    if (volume === undefined) return { id, name: id, dataCenterId: null, storeId: undefined, isGone: true }
    return { id, name: volume.name, dataCenterId: volume.dataCenterId, storeId: stores.get(id) }
  })
  if (task !== undefined) return row.map((volume) => [volume])
  return row.length === 0 ? [] : [row]
}

type Site = Pick<HostInventory, 'hostId' | 'dataCenterId' | 'volumes'>

export function dataCenterOf({ dataCenterId }: Pick<HostInventory, 'dataCenterId'>): string {
  return dataCenterId ?? DEFAULT_DATA_CENTER
}

/** E.g. `host docker:abc`, `shared EU-RO-1`. */
export function storeOf(host: Site): string {
  return host.volumes?.shared === true ? `shared ${dataCenterOf(host)}` : `host ${host.hostId}`
}

/** The host whose own store it is; undefined: a shared store. */
export function hostOfStore(storeId: string): string | undefined {
  return storeId.startsWith('host ') ? storeId.slice('host '.length) : undefined
}

/** `chosen`: stores that this plan has given to volumes without one. */
export type ChosenStores = ReadonlyMap<string, string>

const NONE: ChosenStores = new Map()

/** One volume per row; undefined: the host lacks those of a row. */
export function volumesOn(host: Site, needs: VolumeNeeds, chosen: ChosenStores = NONE): readonly VolumePlace[] | undefined {
  const found = needs.map((row) => row.find((volume) => isOn(host, volume, chosen)))
  return found.every((volume) => volume !== undefined) ? found : undefined
}

function isOn(host: Site, { id, dataCenterId, storeId, isGone }: VolumePlace, chosen: ChosenStores): boolean {
  if (isGone === true) return false
  if (dataCenterId !== null && dataCenterId !== dataCenterOf(host)) return false
  const store = storeId ?? chosen.get(id)
  return store === undefined || store === storeOf(host)
}

/** The end of a sentence: where each volume of a row that the host lacks is. */
export function describeVolumes(needs: VolumeNeeds, labelOf: LabelOf = (hostId) => hostId): string {
  return needs.map((row) => row.map((volume) => describeVolume(volume, labelOf)).join(' or ')).join(', ')
}

type LabelOf = (hostId: string) => string

function describeVolume({ name, dataCenterId, storeId, isGone }: VolumePlace, labelOf: LabelOf): string {
  if (isGone === true) return `"${name}" (it does not exist any more)`
  const hostId = hostOfStore(storeId ?? '')
  if (hostId !== undefined) return `"${name}" (its data is on the host ${labelOf(hostId)})`
  if (storeId !== undefined) return `"${name}" (its data is in the store "${storeId}")`
  return dataCenterId === null ? `"${name}"` : `"${name}" (of the data center ${dataCenterId})`
}
