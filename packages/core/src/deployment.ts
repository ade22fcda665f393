// Which build the workers of an endpoint run (ADR 65): the one that the endpoint's environment has active when they start, or that of a release to which
// it was rolled back. An image that we stand in for runs a deployed app if its endpoint belongs to an environment. With FLASH_RESOURCE_NAME, any other
// image gets the archive, which it may use or not, because Flash sets it also for images that bring their own handler (production §2.1).
import type { Build, Endpoint, Environment, HostInventory, Manifest, WorkerRecord } from '@runyard/schema'
import { envelopeOf, type Envelope } from './image-reference.ts'

/** `archive`: the image unpacks the build itself, if it uses it at all. `none`: nothing was deployed to its environment yet, or the environment is gone. */
export type Deployment = { readonly kind: 'build' | 'archive'; readonly build: Build } | { readonly kind: 'none'; readonly message: string }

export interface Apps {
  readonly environments: ReadonlyMap<string, Environment>
  readonly builds: ReadonlyMap<string, Build>
}

/** True if its workers need a build. The runtime of the SDK 2.0 in an image of the user's runs one, too (sdk2-api §3.4). */
export function runsApp({ flashEnvironmentId, spec }: Pick<Endpoint, 'flashEnvironmentId' | 'spec'>): boolean {
  return flashEnvironmentId !== null && (envelopeOf(spec.image) !== null || 'RUNPOD_RUNTIME_KIND' in spec.env)
}

/**
 * Its image is neither ours nor one that we stand in for: it may unpack the app's archive itself, as Runpod's own worker images do (production §4). One
 * that brings its handler ignores the archive.
 */
export function mayUnpackApp(endpoint: Pick<Endpoint, 'flashEnvironmentId' | 'spec'>): boolean {
  return endpoint.flashEnvironmentId !== null && 'FLASH_RESOURCE_NAME' in endpoint.spec.env && !runsApp(endpoint)
}

/** Undefined: its workers need no build. */
export function deploymentOf(endpoint: Endpoint, apps: Apps): Deployment | undefined {
  const { flashEnvironmentId } = endpoint
  if (flashEnvironmentId === null) return undefined
  const found = activeIn(endpoint, apps.environments.get(flashEnvironmentId), apps)
  if (runsApp(endpoint)) return found
  return mayUnpackApp(endpoint) && found.kind === 'build' ? { ...found, kind: 'archive' } : undefined
}

function activeIn(endpoint: Endpoint, environment: Environment | undefined, { builds }: Pick<Apps, 'builds'>): Deployment {
  if (environment?.ownerId !== endpoint.ownerId) return { kind: 'none', message: 'the environment of the endpoint does not exist any more' }
  // One that is gone, or of another app since the endpoint has moved, is no build to go back to.
  const pinned = builds.get(endpoint.buildId ?? '')
  const build = pinned?.appId === environment.appId ? pinned : builds.get(environment.activeBuildId ?? '')
  if (build !== undefined) return { kind: 'build', build }
  return { kind: 'none', message: `nothing was deployed to the environment "${environment.name}" yet` }
}

/**
 * True if the worker has the endpoint's spec and, after a roll-back, the build of that release. Otherwise the same spec with another build is the same
 * release: a deploy of the same code replaces no worker.
 */
export function isOfRelease(
  { specHash, buildId }: Pick<WorkerRecord, 'specHash' | 'buildId'>,
  endpoint: Pick<Endpoint, 'specHash' | 'buildId'>,
  deployment: Deployment | undefined,
): boolean {
  if (specHash !== endpoint.specHash) return false
  const isPinned = deployment !== undefined && deployment.kind !== 'none' && deployment.build.id === endpoint.buildId
  return !isPinned || buildId === endpoint.buildId
}

/** The minor version that its packages were compiled for; undefined: any. */
export function pythonOf(deployment: Deployment | undefined): string | undefined {
  return deployment?.kind === 'build' ? (deployment.build.pythonVersion ?? undefined) : undefined
}

interface PythonNeed {
  readonly python?: string | undefined
}

export function lacksPython({ python }: PythonNeed, { pythons }: Pick<HostInventory, 'pythons'>): boolean {
  return python !== undefined && pythons !== undefined && !pythons.includes(python)
}

export function noPython({ python = '' }: PythonNeed, hosts: readonly Pick<HostInventory, 'label' | 'hostId' | 'pythons'>[]): string {
  const have = hosts.map((host) => `${host.label ?? host.hostId} has ${host.pythons?.join(', ') || 'none'}`).join('; ')
  return `the app was built for Python ${python}, which no host has: ${have}`
}

export const deployedEnvelope = (kind: Build['kind']): Envelope => (kind === 'flash' ? 'deployed-flash' : 'deployed-sdk2')

/** What the manifest says of one function and the client does not send (production §2.1, PodTemplate). */
export interface ResourceSettings {
  readonly maxConcurrency?: number
  readonly diskGb?: number
  /** Settings that a worker with our agent does not follow. */
  readonly unfollowed: readonly string[]
}

/** `flash_manifest.json` has its resources by name, `runpod_manifest.json` as a list; the client of the latter sends everything. */
export function resourceSettings(manifest: Manifest | undefined, resource: string | undefined): ResourceSettings {
  const found = asRecord(asRecord(manifest?.['resources'])?.[resource ?? ''])
  const template = asRecord(found?.['template'])
  const maxConcurrency = asCount(found?.['max_concurrency'])
  const diskGb = asCount(template?.['containerDiskInGb'])
  return {
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(diskGb === undefined ? {} : { diskGb }),
    unfollowed: ['dockerArgs', 'startScript'].filter((name) => typeof template?.[name] === 'string' && template[name] !== ''),
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
}

const asCount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined
