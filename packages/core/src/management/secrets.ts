// Secrets: named values for `{{ RUNPOD_SECRET_name }}` in environment variables. The reference stays in the endpoint's record, and the value replaces it
// only where a worker's environment is made (ADR 67). An endpoint may name a secret that does not exist yet: its workers start once it does.
import { quoted, RunyardError, StoredSecret, type Endpoint, type EndpointSpec, type Secret } from '@runyard/schema'
import type { ModelTools } from './endpoint-change.ts'
import { environmentSizeProblem, nameProblem } from './record-sizes.ts'
import type { ResourceKind } from './resource-kind.ts'

type Environment = EndpointSpec['env']

const REFERENCE = /\{\{\s*RUNPOD_SECRET_([^\s{}]*)\s*\}\}/gu
/** As the SDK has it (sdk2-api §3.7): no other name can be written into a reference. */
const NAME = /^[A-Za-z0-9_.-]+$/u
const LONGEST_VALUE = 65_536

export const SECRETS: ResourceKind<StoredSecret, Secret> = {
  name: 'secrets',
  schema: StoredSecret,
  field: (ownerId, id) => JSON.stringify([ownerId, id]),
  show: ({ value: _value, ...secret }) => secret,
  check(secret) {
    const problem = nameProblem('a secret', secret.name) ?? grammarProblem(secret.name) ?? contentProblem(secret)
    if (problem !== undefined) throw new RunyardError('bad_request', problem)
  },
  // Named by their name, so that an endpoint can be saved before its secret; see `names`.
  usedBy: () => [],
  names: ({ name }, { spec }) => secretNamesIn(spec.env).includes(name),
  follow: (_secret, users) => users,
  sentences: {
    many: 'secrets',
    missing: (id) => `Secret ${quoted(id)} was not found.`,
    unknown: (id) => `Secret ${quoted(id)} was not found.`,
    taken: ({ name, id }) =>
      `A secret named "${name}" exists already (id ${id}); delete it, or set its value with \`runyard secrets set ${name}\`.`,
    inUse: ({ name }, users) => `Secret "${name}" is used by ${users}.`,
  },
}

export interface SecretEdit {
  readonly name?: string | undefined
  readonly value: string
  readonly description?: string | undefined
}

interface EditContext extends Pick<ModelTools, 'randomText'> {
  readonly ownerId: string
  readonly now: number
}

export function editSecret(current: StoredSecret | undefined, edit: SecretEdit, { ownerId, now, randomText }: EditContext): StoredSecret {
  const base = current ?? { id: randomText(14), name: '', description: '', ownerId, createdAt: now }
  return {
    ...base,
    name: edit.name ?? base.name,
    description: edit.description ?? base.description,
    value: edit.value,
    updatedAt: now,
  }
}

function grammarProblem(name: string): string | undefined {
  return NAME.test(name) ? undefined : `A secret's name has letters, digits, "_", "." and "-" only; ${quoted(name)} was given.`
}

function contentProblem({ name, value, description }: StoredSecret): string | undefined {
  if (value === '') return `The value of the secret ${quoted(name)} must not be empty.`
  if (value.includes('\0'))
    return `The value of the secret ${quoted(name)} contains a NUL character, which no environment variable can hold.`
  if (value.length > LONGEST_VALUE)
    return `The value of a secret has at most ${LONGEST_VALUE} characters; that of ${quoted(name)} has ${value.length}.`
  return description.length > 1024
    ? `The description of a secret has at most 1024 characters; ${description.length} were given.`
    : undefined
}

/** Each name once. */
export function secretNamesIn(env: Environment): readonly string[] {
  return [...new Set(Object.values(env).flatMap((value) => [...value.matchAll(REFERENCE)].map(([, name = '']) => name)))]
}

/** A reference that no secret can satisfy. */
export function secretReferenceProblem(variable: string, value: string): string | undefined {
  const strange = [...value.matchAll(REFERENCE)].map(([, name = '']) => name).find((name) => !NAME.test(name))
  if (strange === undefined) return undefined
  return `The environment variable ${quoted(variable)} names the secret ${quoted(strange)}: names of secrets have letters, digits, "_", "." and "-" only.`
}

/** The variables with values in place of references. @throws RunyardError('unprocessable', fault 'secret') that names the secret, never a value. */
export function fillSecrets(env: Environment, values: ReadonlyMap<string, string>): Environment {
  const filled = Object.entries(env).map(([variable, text]) => {
    const value = text.replaceAll(REFERENCE, (_, name: string) => {
      const secret = values.get(name)
      if (secret === undefined) throw missingSecret(name, variable)
      return secret
    })
    return [variable, value] as const
  })
  const result = Object.fromEntries(filled)
  const problem = environmentSizeProblem(result)
  if (problem !== undefined) throw new RunyardError('unprocessable', `With its secrets filled in: ${problem}`, { fault: 'request' })
  return result
}

function missingSecret(name: string, variable: string): RunyardError {
  return new RunyardError(
    'unprocessable',
    `The secret ${quoted(name)} that the environment variable ${quoted(variable)} names does not exist; \`runyard secrets set ${name}\` adds it.`,
    { fault: 'secret' },
  )
}

/** Whether each secret that the endpoint names exists. */
export function hasAllSecrets({ spec }: Pick<Endpoint, 'spec'>, secrets: readonly Pick<Secret, 'name'>[]): boolean {
  const known = new Set(secrets.map(({ name }) => name))
  return secretNamesIn(spec.env).every((name) => known.has(name))
}
