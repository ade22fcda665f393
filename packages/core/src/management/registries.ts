// Registry credentials. Endpoints that use them keep them; a template that names deleted ones loses its reference, as at Runpod (management §3.5).
import { quoted, RunyardError, StoredRegistry, type Registry, type RegistryCredentials } from '@runyard/schema'
import type { ModelTools } from './endpoint-change.ts'
import { nameProblem } from './record-sizes.ts'
import type { ResourceKind } from './resource-kind.ts'

/** Tokens of cloud registries are some 2 kB long. */
const LONGEST_SECRET = 16_384

export const REGISTRIES: ResourceKind<StoredRegistry, Registry> = {
  name: 'registries',
  schema: StoredRegistry,
  // With its owner, so that no endpoint can name another owner's.
  field: (ownerId, id) => JSON.stringify([ownerId, id]),
  show: ({ username: _username, password: _password, ...registry }) => registry,
  check({ name, username, password }) {
    const problem = nameProblem('registry credentials', name)
    if (problem !== undefined) throw new RunyardError('bad_request', problem)
    for (const [what, value] of Object.entries({ username, password })) {
      if (value === '') throw new RunyardError('bad_request', `The ${what} of registry credentials must not be empty.`)
      if (value.length > LONGEST_SECRET)
        throw new RunyardError('bad_request', `The ${what} of registry credentials has at most ${LONGEST_SECRET} characters.`)
    }
  },
  usedBy: ({ spec: { registryId } }) => (registryId === null ? [] : [registryId]),
  // Starts that failed with the old ones are tried again.
  follow: (_registry, users) => users,
  sentences: {
    many: 'registry credentials',
    missing: (id) => `Registry credentials ${quoted(id)} were not found.`,
    unknown: (id) => `Registry credentials ${quoted(id)} were not found; \`runyard registries list\` shows what there is.`,
    taken: ({ name, id }) => `Registry credentials named "${name}" exist already (id ${id}); update or delete those.`,
    inUse: ({ name }, users) => `Registry credentials "${name}" are used by ${users}; delete them or give them other credentials first.`,
  },
}

export interface RegistryEdit extends RegistryCredentials {
  /** Of new ones. */
  readonly name: string
}

interface EditContext extends Pick<ModelTools, 'randomText'> {
  readonly ownerId: string
  readonly now: number
}

/** Credentials of new ones, or others under the same name and id. */
export function editRegistry(
  current: StoredRegistry | undefined,
  edit: RegistryCredentials & Partial<RegistryEdit>,
  { ownerId, now, randomText }: EditContext,
): StoredRegistry {
  const base = current ?? { id: randomText(14), name: '', ownerId, createdAt: now }
  return { ...base, ...edit, updatedAt: now }
}
