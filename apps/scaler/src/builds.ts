// Which build a new worker runs, and how it comes to a host (ADR 65). Knows which builds a host has, so that a start asks the host only once per build;
// a host that does not protect what it has is asked each time.
import {
  deployedEnvelope,
  deploymentOf,
  diskError,
  lowDisk,
  mayUnpackApp,
  resourceSettings,
  runsApp,
  type Apps,
  type Envelope,
} from '@runyard/core'
import {
  RunyardError,
  type Build,
  type Config,
  type Endpoint,
  type EndpointSpec,
  type HostDriver,
  type WorkerRecord,
} from '@runyard/schema'
import type { Store } from '@runyard/store'

type Resources = Pick<Store, 'resources'>

const NO_APPS: Apps = { environments: new Map(), builds: new Map() }

/** Read only if an endpoint needs them. */
export async function readApps({ resources }: Resources, endpoints: Iterable<Endpoint | undefined>): Promise<Apps> {
  if (![...endpoints].some((endpoint) => endpoint !== undefined && (runsApp(endpoint) || mayUnpackApp(endpoint)))) return NO_APPS
  const [environments, builds] = await Promise.all([resources.environments.list(), resources.builds.list()])
  return { environments: new Map(environments.map((one) => [one.id, one])), builds: new Map(builds.map((one) => [one.id, one])) }
}

/** What the environment has active now; undefined: the endpoint's workers get none, or there is none any more. */
export async function activeBuild(store: Resources, endpoint: Endpoint): Promise<Build | undefined> {
  const deployment = deploymentOf(endpoint, await readApps(store, [endpoint]))
  return deployment === undefined || deployment.kind === 'none' ? undefined : deployment.build
}

export interface AppLaunch {
  readonly build: Build
  readonly envelope: Envelope
  /** With what the manifest says and the client did not send. */
  readonly spec: EndpointSpec
  /** For the worker's log: what of the manifest is not followed. */
  readonly notes: readonly string[]
}

/** Flash sends this size whatever its user asked for (production §2.1); the manifest has the user's. */
const FLASH_DISK_GB = 64

/** Undefined: the endpoint's workers need no build. @throws RunyardError if the record's build is gone. */
export async function appLaunch(
  store: Pick<Store, 'resources' | 'manifests'>,
  record: WorkerRecord,
  endpoint: Endpoint,
): Promise<AppLaunch | undefined> {
  if (!runsApp(endpoint)) return undefined
  const build = record.buildId === undefined ? undefined : await store.resources.builds.find(endpoint.ownerId, record.buildId)
  if (build === undefined) throw new RunyardError('unprocessable', 'The build that this worker was to run is gone.', { fault: 'request' })
  const { spec } = endpoint
  const { maxConcurrency, diskGb, unfollowed } = resourceSettings(await store.manifests.get(build.id), spec.env['FLASH_RESOURCE_NAME'])
  return {
    build,
    envelope: deployedEnvelope(build.kind),
    spec: {
      ...spec,
      diskGb: spec.diskGb === FLASH_DISK_GB ? (diskGb ?? spec.diskGb) : spec.diskGb,
      env: { ...(maxConcurrency === undefined ? {} : { RUNPOD_MAX_CONCURRENCY: String(maxConcurrency) }), ...spec.env },
    },
    notes: unfollowed.map((name) => `the manifest's ${name} is not followed: a worker of this image runs our agent`),
  }
}

/** For a worker whose image may unpack the build itself. Undefined: it gets none, or the host starts no images. */
export async function packedBuild(
  store: Resources,
  driver: HostDriver,
  { record, endpoint }: { readonly record: WorkerRecord; readonly endpoint: Endpoint },
): Promise<PackedBuild | undefined> {
  if (record.buildId === undefined || !mayUnpackApp(endpoint) || !driver.capabilities.runsImages) return undefined
  const build = await store.resources.builds.find(endpoint.ownerId, record.buildId)
  return build && { ...build, isPacked: true }
}

type PackedBuild = Build & { readonly isPacked: true }

export type Builds = ReturnType<typeof createBuilds>

export function createBuilds({ artifacts }: Pick<Store, 'artifacts'>, { keepFreeBytes }: Pick<Config['images'], 'keepFreeBytes'>) {
  const placed = new WeakMap<HostDriver, Set<string>>()
  return {
    /** Resolves when the host has the build. @throws RunyardError with one sentence. */
    async ensure(driver: HostDriver, build: Build | PackedBuild, onProgress: (line: string) => void): Promise<void> {
      const known = placed.get(driver) ?? new Set<string>()
      placed.set(driver, known)
      const isPacked = 'isPacked' in build
      const key = isPacked ? `${build.id} packed` : build.id
      if (driver.capabilities.isolates && known.has(key)) return
      if (driver.placeBuild === undefined)
        throw new RunyardError('unprocessable', `The host ${driver.label} runs no deployed apps.`, { fault: 'request' })
      const { id, sizeBytes } = build
      const open = async () => {
        // Only now: a build that is there needs no room.
        const low = lowDisk(await driver.diskSpace(), keepFreeBytes)
        if (low !== undefined) throw diskError(`build ${id}`, low)
        return openArtifact(artifacts, build)
      }
      await driver.placeBuild({ id, sizeBytes, isPacked, open, onProgress })
      known.add(key)
    },
    /** The next `ensure` asks the host. */
    forget(driver: HostDriver, buildId: string) {
      for (const key of [buildId, `${buildId} packed`]) placed.get(driver)?.delete(key)
    },
  }
}

async function openArtifact(artifacts: Store['artifacts'], { id, artifactId }: Build): Promise<AsyncIterable<Uint8Array>> {
  const reader = await artifacts.read(artifactId)
  if (reader !== undefined) return reader.bytes
  const sentence = `The archive of build ${id} is not in the blob store of the scaler: where gateway and scaler are on two machines, both need the same bucket (blobs.s3).`
  throw new RunyardError('unprocessable', sentence, { fault: 'request' })
}

/** A worker image has one Python. @throws RunyardError if it is not the one that the build was made for. */
export async function checkPython(driver: HostDriver, image: string, { pythonVersion }: Build): Promise<void> {
  const has = pythonVersion === null ? undefined : await driver.pythonOf?.(image)
  if (has === undefined || has === pythonVersion) return
  const mend = `deploy with --python-version ${has}, or let defaultImages name an image with Python ${pythonVersion} ("py${pythonVersion}")`
  throw new RunyardError(
    'unprocessable',
    `The app was built for Python ${pythonVersion}, and the image ${image} has Python ${has}: ${mend}.`,
    {
      fault: 'python',
    },
  )
}
