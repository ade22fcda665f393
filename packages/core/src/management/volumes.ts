// Volumes (ADR 71). Endpoints that use one keep it: it cannot be deleted before.
import { quoted, RunyardError, Volume } from '@runyard/schema'
import type { ModelTools } from './endpoint-change.ts'
import { nameProblem } from './record-sizes.ts'
import type { ResourceKind } from './resource-kind.ts'

/** Where a worker finds its volume (management §2.3). */
export const VOLUME_PATH = '/runpod-volume'

const described = ({ name, dataCenterId }: Volume): string =>
  dataCenterId === null ? `global volume "${name}"` : `network volume "${name}" in ${dataCenterId}`

export const VOLUMES: ResourceKind<Volume, Volume> = {
  name: 'volumes',
  schema: Volume,
  // With its owner, so that no endpoint can name another owner's.
  field: (ownerId, id) => JSON.stringify([ownerId, id]),
  show: (volume) => volume,
  identity: ({ name, dataCenterId }) => JSON.stringify([dataCenterId, name]),
  check({ name }) {
    const problem = nameProblem('a volume', name)
    if (problem !== undefined) throw new RunyardError('bad_request', problem)
  },
  usedBy: ({ spec: { networkVolumeIds } }) => networkVolumeIds,
  // Two clients that create the volume of one script at the same moment get the same one.
  isSame: (existing, wanted) => existing.kind === wanted.kind && existing.sizeGb === wanted.sizeGb,
  follow: (_volume, users) => users,
  sentences: {
    many: 'volumes',
    missing: (id) => `Volume ${quoted(id)} was not found.`,
    unknown: (id) => `Volume ${quoted(id)} does not exist; create it first, or leave it out.`,
    taken: (volume) => `A ${described(volume)} exists already (id ${volume.id}, ${volume.sizeGb} GB); use it, or choose another name.`,
    inUse: (volume, users) => `The ${described(volume)} is used by ${users}; delete them or give them another volume first.`,
  },
}

export interface VolumeEdit {
  readonly name?: string | undefined
  readonly sizeGb?: number | undefined
  /** Of new ones. */
  readonly kind?: Volume['kind'] | undefined
  readonly dataCenterId?: string | null
}

interface EditContext extends Pick<ModelTools, 'randomText'> {
  readonly ownerId: string
  readonly now: number
}

/** @throws RunyardError('bad_request') where it would shrink. */
export function editVolume(current: Volume | undefined, edit: VolumeEdit, { ownerId, now, randomText }: EditContext): Volume {
  const { kind = 'STANDARD', dataCenterId = null, name = '', sizeGb = 0 } = edit
  if (current === undefined) return { id: randomText(10), name, ownerId, kind, sizeGb, dataCenterId, createdAt: now }
  const next = { ...current, name: edit.name ?? current.name, sizeGb: edit.sizeGb ?? current.sizeGb }
  if (next.sizeGb >= current.sizeGb) return next
  throw new RunyardError('bad_request', `A volume only grows: it has ${current.sizeGb} GB, and ${next.sizeGb} GB was given.`)
}
