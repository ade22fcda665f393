// Apps, their environments and their builds, as kinds of resources (ADR 63). An app goes with all that it has. An environment stays while endpoints
// belong to it, and a build while it is active in an environment, so no worker loses the code that it was started for.
import { App, Build, Environment, quoted, RunyardError, type Endpoint, type Manifest } from '@runyard/schema'
import type { ModelTools } from './endpoint-change.ts'
import { nameProblem } from './record-sizes.ts'
import type { ResourceKind } from './resource-kind.ts'

// With its owner, so that no record can name another owner's.
const field = (ownerId: string, id: string): string => JSON.stringify([ownerId, id])

export const APPS: ResourceKind<App, App> = {
  name: 'apps',
  schema: App,
  field,
  show: (app) => app,
  check: ({ name }) => checkName('an app', name),
  usedBy: () => [],
  follow: () => [],
  sentences: {
    many: 'apps',
    // Both clients look for "app not found" (production §3.1).
    missing: (wanted) => `App not found: ${quoted(wanted)}.`,
    unknown: (id) => `App not found: ${quoted(id)}.`,
    taken: ({ name, id }) => `An app named "${name}" exists already (id ${id}).`,
    inUse: ({ name }, users) => `The app "${name}" has ${users}; delete them first.`,
  },
}

export const ENVIRONMENTS: ResourceKind<Environment, Environment> = {
  name: 'environments',
  schema: Environment,
  field,
  show: (environment) => environment,
  check: ({ name }) => checkName('an environment', name),
  usedBy: ({ flashEnvironmentId }) => (flashEnvironmentId === null ? [] : [flashEnvironmentId]),
  references({ appId, activeBuildId }, kind) {
    if (kind === 'apps') return [appId]
    return kind === 'builds' && activeBuildId !== null ? [activeBuildId] : []
  },
  without: (_environment, kind) => (kind === 'apps' ? 'removed' : 'needed'),
  identity: ({ appId, name }) => JSON.stringify([appId, name]),
  // Another active build changes no worker that runs; the scaler looks again, since a worker may have waited for one (flash-api §7.3).
  follow: (_environment, users) => users,
  sentences: {
    many: 'environments',
    missing: (wanted) => `Environment not found: ${quoted(wanted)}.`,
    unknown: (id) => `Environment not found: ${quoted(id)}. If a Flash project still remembers it, delete its .flash directory.`,
    taken: ({ name, id }) => `This app has an environment named "${name}" already (id ${id}).`,
    inUse: ({ name }, users) => `The environment "${name}" has ${users}; delete them first.`,
  },
}

export const BUILDS: ResourceKind<Build, Build> = {
  name: 'builds',
  schema: Build,
  field,
  show: (build) => build,
  check: () => undefined,
  usedBy: () => [],
  references: ({ appId }, kind) => (kind === 'apps' ? [appId] : []),
  without: () => 'removed',
  identity: ({ id }) => id,
  artifactOf: ({ artifactId }) => artifactId,
  follow: () => [],
  sentences: {
    many: 'builds',
    missing: (wanted) => `Build not found: ${quoted(wanted)}.`,
    unknown: (id) => `Build not found: ${quoted(id)}.`,
    taken: ({ id }) => `A build with the id ${id} exists already.`,
    inUse: ({ id }) => `The build ${id} is active in an environment; deploy another build there first.`,
  },
}

/** Flash's clients add these to some names of one resource, in requests and in saves (flash-api §5.8, §7.3). */
export function deployedName(name: string): string {
  return name.replace(/^live-/u, '').replace(/-fb$/u, '')
}

function checkName(what: string, name: string): void {
  const problem = nameProblem(what, name)
  if (problem !== undefined) throw new RunyardError('bad_request', problem)
}

export interface NewRecord extends Pick<ModelTools, 'randomText'> {
  readonly ownerId: string
  readonly now: number
}

export const newApp = (name: string, { ownerId, now, randomText }: NewRecord): App => ({
  id: randomText(14),
  name,
  ownerId,
  createdAt: now,
})

export const newEnvironment = (
  { appId, name }: Pick<Environment, 'appId' | 'name'>,
  { ownerId, now, randomText }: NewRecord,
): Environment => ({ id: randomText(14), name, ownerId, appId, activeBuildId: null, createdAt: now })

/** From now on its workers start with this build. @throws RunyardError('not_found') for a build of another app. */
export function activateBuild(environment: Environment, build: Build, now: number): Environment {
  if (build.appId !== environment.appId) throw new RunyardError('not_found', BUILDS.sentences.missing(build.id))
  return { ...environment, activeBuildId: build.id, deployedAt: now }
}

/** The word that tools show (flash-api §7.7). */
export const environmentStateOf = ({ activeBuildId }: Pick<Environment, 'activeBuildId'>): string =>
  activeBuildId === null ? 'created' : 'deployed'

interface Held {
  readonly environments: readonly Environment[]
  readonly endpoints: readonly Pick<Endpoint, 'buildId'>[]
}

/** Builds of an app that nothing needs: not active in an environment, not what an endpoint was rolled back to, and not among the newest. */
export function unneededBuilds(
  { builds, environments, endpoints }: Held & { readonly builds: readonly Build[] },
  keepNewest: number,
): readonly Build[] {
  const active = new Set([...environments.map(({ activeBuildId }) => activeBuildId), ...endpoints.map(({ buildId }) => buildId)])
  return builds
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .slice(keepNewest)
    .filter(({ id }) => !active.has(id))
}

export const MANIFEST_FILES: Readonly<Record<string, Build['kind']>> = {
  'flash_manifest.json': 'flash',
  'runpod_manifest.json': 'sdk2',
}

type Read = Pick<Build, 'kind' | 'pythonVersion'> & { readonly manifest: Manifest }

/** Which tool made the build, and for which Python (flash-api §7.2, sdk2-api §3.5). @throws RunyardError('bad_request') */
export function readManifest(value: unknown): Read {
  if (!isObject(value)) throw new RunyardError('bad_request', 'The manifest of a build must be a JSON object.')
  const { resources } = value
  if (typeof value['app'] === 'string' && Array.isArray(resources))
    return { kind: 'sdk2', pythonVersion: versionIn(value['pythonVersion']), manifest: value }
  if (isObject(resources)) return { kind: 'flash', pythonVersion: versionIn(value['python_version']), manifest: value }
  throw new RunyardError(
    'bad_request',
    'This is no manifest of a build: Flash writes an object of "resources", the SDK 2.0 an "app" and a list of "resources".',
  )
}

function versionIn(value: unknown): string | null {
  return typeof value === 'string' && /^3\.\d{1,2}$/u.test(value) ? value : null
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
