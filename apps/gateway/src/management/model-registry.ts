// What becomes of registry credentials when somebody saves or deletes them: pure, on a snapshot of everything that may refer to them. What an
// endpoint uses stays; a template that names them loses its reference, as at Runpod (management §3.5).
import type { Endpoint, Registry, RegistryCredentials } from '@runyard/schema'
import { quoted, RunyardError } from '@runyard/schema'
import type { Library, RegistryChange } from '@runyard/store'
import { checkNumber } from './model-check.ts'
import { nameProblem } from './model-size.ts'
import { newRegistryId } from './new-id.ts'

/** Tokens of cloud registries are some 2 kB long. */
const LONGEST_SECRET = 16_384

export interface RegistryEdit extends RegistryCredentials {
  /** Of a new one. */
  readonly name: string
}

interface Context {
  readonly ownerId: string
  readonly now: number
}

/** @throws RunyardError('bad_request' | 'conflict') */
export function decideAddRegistry(
  { registries }: Library,
  { name, ...credentials }: RegistryEdit,
  { ownerId, now }: Context,
): RegistryChange {
  const problem = nameProblem('registry credentials', name)
  if (problem !== undefined) throw new RunyardError('bad_request', problem)
  checkCredentials(credentials)
  checkNumber('registry credentials', registries.filter((other) => other.ownerId === ownerId).length)
  const namesake = registries.find((other) => other.ownerId === ownerId && other.name === name)
  if (namesake !== undefined)
    throw new RunyardError('conflict', `Registry credentials named "${name}" exist already (id ${namesake.id}); update or delete those.`)
  const registry: Registry = { id: newRegistryId(), name, ownerId, createdAt: now, updatedAt: now }
  return { kind: 'saved', registry, credentials, users: [] }
}

/** Other secrets under the same name and id. @throws RunyardError('bad_request' | 'not_found') */
export function decideReplaceCredentials(
  library: Library,
  { id, credentials }: { readonly id: string; readonly credentials: RegistryCredentials },
  { ownerId, now }: Context,
): RegistryChange {
  const current = find(library, ownerId, id)
  checkCredentials(credentials)
  return { kind: 'saved', registry: { ...current, updatedAt: now }, credentials, users: usersOf(library, current) }
}

/** @throws RunyardError('not_found' | 'conflict') */
export function decideRemoveRegistry(library: Library, ownerId: string, id: string): RegistryChange {
  const registry = find(library, ownerId, id)
  const users = usersOf(library, registry)
  if (users.length > 0) {
    const names = users.map(({ name }) => `"${name}"`).join(', ')
    throw new RunyardError(
      'conflict',
      `Registry credentials "${registry.name}" are used by the endpoint${users.length === 1 ? '' : 's'} ${names}; delete them or give them other credentials first.`,
    )
  }
  const templates = library.templates.filter((each) => each.ownerId === ownerId && each.container.registryId === id)
  return {
    kind: 'removed',
    registry,
    templates: templates.map((template) => ({ ...template, container: { ...template.container, registryId: null } })),
  }
}

function find({ registries }: Library, ownerId: string, id: string): Registry {
  const found = registries.find((each) => each.ownerId === ownerId && each.id === id)
  if (found === undefined) throw missingRegistry(id)
  return found
}

export function missingRegistry(id: string): RunyardError {
  return new RunyardError('not_found', `Registry credentials ${quoted(id)} were not found.`)
}

function usersOf({ endpoints }: Library, { id, ownerId }: Registry): readonly Endpoint[] {
  return endpoints.filter((endpoint) => endpoint.ownerId === ownerId && endpoint.spec.registryId === id)
}

function checkCredentials(credentials: RegistryCredentials): void {
  for (const [what, value] of Object.entries(credentials)) {
    if (value === '') throw new RunyardError('bad_request', `The ${what} of registry credentials must not be empty.`)
    if (value.length > LONGEST_SECRET)
      throw new RunyardError('bad_request', `The ${what} of registry credentials has at most ${LONGEST_SECRET} characters.`)
  }
}
