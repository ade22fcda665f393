// Volumes for every dialect: which there are, and which data centers a new one may name (ADR 71).
import { editVolume, type VolumeEdit } from '@runyard/core'
import { RunyardError, type Volume } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ReadDataCenters } from './data-centers.ts'
import { MODEL_TOOLS } from './model-tools.ts'

export type VolumeModel = ReturnType<typeof createVolumeModel>

export interface VolumeModelDeps {
  readonly store: Pick<Store, 'resources' | 'volumes'>
  readonly clock: () => number
  readonly readDataCenters: ReadDataCenters
}

export function createVolumeModel({ store, clock, readDataCenters }: VolumeModelDeps) {
  const { volumes } = store.resources
  const save = (ownerId: string, id: string | undefined, edit: VolumeEdit): Promise<Volume> => {
    const context = { ...MODEL_TOOLS, ownerId, now: clock() }
    return volumes.save({ ...context, id, edit: (current) => editVolume(current, edit, context) })
  }
  return {
    /** Oldest first. */
    async list(ownerId: string, which?: 'network' | 'global'): Promise<readonly Volume[]> {
      const found = (await volumes.list(ownerId)).filter(({ kind }) => which === undefined || (kind === 'GLOBAL') === (which === 'global'))
      return found.toSorted((one, other) => one.createdAt - other.createdAt)
    },
    /** @throws RunyardError('not_found') */
    get: (ownerId: string, id: string): Promise<Volume> => volumes.get(ownerId, id),
    /** One of that name and size that is there is returned. @throws RunyardError('bad_request' | 'conflict' | 'unprocessable') */
    async add(ownerId: string, edit: VolumeEdit): Promise<Volume> {
      const { dataCenterId = null } = edit
      const ids = dataCenterId === null ? [] : (await readDataCenters()).map(({ id }) => id)
      if (dataCenterId !== null && !ids.includes(dataCenterId)) throw noSuchDataCenter(dataCenterId, ids)
      return save(ownerId, undefined, edit)
    },
    /** @throws RunyardError('bad_request' | 'not_found' | 'conflict') */
    change: (ownerId: string, id: string, edit: VolumeEdit): Promise<Volume> => save(ownerId, id, edit),
    /** Its data is removed in the background. @throws RunyardError('not_found' | 'conflict') */
    async remove(ownerId: string, id: string): Promise<void> {
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
