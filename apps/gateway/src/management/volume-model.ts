// Volumes for every dialect: which there are, and which data centers a new one may name (ADR 71).
import { editVolume, type VolumeEdit } from '@runyard/core'
import { RunyardError, type Volume } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ReadDataCenters } from './data-centers.ts'
import { MODEL_TOOLS } from './model-tools.ts'

export interface VolumeModel {
  /** Oldest first. */
  list(ownerId: string, which?: 'network' | 'global'): Promise<readonly Volume[]>
  /** @throws RunyardError('not_found') */
  get(ownerId: string, id: string): Promise<Volume>
  /** One of that name and size that is there is returned. @throws RunyardError('bad_request' | 'conflict' | 'unprocessable') */
  add(ownerId: string, edit: VolumeEdit): Promise<Volume>
  /** @throws RunyardError('bad_request' | 'not_found' | 'conflict') */
  change(ownerId: string, id: string, edit: VolumeEdit): Promise<Volume>
  /** Its data is removed in the background. @throws RunyardError('not_found' | 'conflict') */
  remove(ownerId: string, id: string): Promise<void>
}

export interface VolumeModelDeps {
  readonly store: Pick<Store, 'resources' | 'volumes'>
  readonly clock: () => number
  readonly readDataCenters: ReadDataCenters
}

export function createVolumeModel({ store, clock, readDataCenters }: VolumeModelDeps): VolumeModel {
  const { volumes } = store.resources
  const save = (ownerId: string, id: string | undefined, edit: VolumeEdit): Promise<Volume> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return volumes.save({ ...context, id, edit: (current) => editVolume(current, edit, context) })
  }
  return {
    async list(ownerId, which) {
      const found = (await volumes.list(ownerId)).filter(({ kind }) => which === undefined || (kind === 'GLOBAL') === (which === 'global'))
      return found.toSorted((one, other) => one.createdAt - other.createdAt)
    },
    get: (ownerId, id) => volumes.get(ownerId, id),
    async add(ownerId, edit) {
      const { dataCenterId = null } = edit
      const ids = dataCenterId === null ? [] : (await readDataCenters()).map(({ id }) => id)
      if (dataCenterId !== null && !ids.includes(dataCenterId)) throw noSuchDataCenter(dataCenterId, ids)
      return save(ownerId, undefined, edit)
    },
    change: (ownerId, id, edit) => save(ownerId, id, edit),
    async remove(ownerId, id) {
      const { name } = await volumes.get(ownerId, id)
      // First: its data would stay for ever where this breaks off in between.
      await store.volumes.putRemoval({ id, name, ownerId, at: clock() })
      try {
        await volumes.remove(ownerId, { id })
      } catch (error) {
        await store.volumes.dropRemoval(id)
        throw error
      }
    },
  }
}

function noSuchDataCenter(wanted: string, ids: readonly string[]): RunyardError {
  const sentence = `No host is in the data center ${wanted}: hosts are in ${ids.join(', ')}. Create the volume there, or give a host the setting "dataCenter: ${wanted}".`
  return new RunyardError('unprocessable', sentence)
}
