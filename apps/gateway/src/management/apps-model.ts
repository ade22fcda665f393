// Apps as the management surfaces see them: reads and changes over the store's guarded writes (ADR 63). Records of another owner are "not found".
import { randomBytes } from 'node:crypto'
import { activateBuild, missingResource, newApp, newEnvironment, readManifest, RESOURCE_KINDS, unneededBuilds } from '@runyard/core'
import { quoted, RunyardError, type App, type Build, type Config, type Environment, type Manifest, type Upload } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { ModelCache } from './model-cache.ts'
import { MODEL_TOOLS } from './model-tools.ts'

/** An owner's, oldest first. */
export interface AppLibrary {
  readonly apps: readonly App[]
  readonly environments: readonly Environment[]
  readonly builds: readonly Build[]
}

export interface AppModel {
  read(ownerId: string): Promise<AppLibrary>
  create(ownerId: string, name: string): Promise<App>
  /** With its environments, builds and endpoints. */
  remove(ownerId: string, id: string): Promise<void>
  createEnvironment(ownerId: string, environment: Pick<Environment, 'appId' | 'name'>): Promise<Environment>
  /** With its endpoints. */
  removeEnvironment(ownerId: string, id: string): Promise<void>
  prepareUpload(ownerId: string, wanted: { readonly appId: string; readonly size: number }): Promise<Upload>
  /** Makes a build of what was uploaded, and removes builds of the app that nothing needs. */
  finalize(ownerId: string, wanted: { readonly appId: string; readonly objectKey: string; readonly manifest: unknown }): Promise<Build>
  getBuild(ownerId: string, id: string): Promise<Build>
  manifestOf(build: Build): Promise<Manifest>
  replaceManifest(ownerId: string, buildId: string, manifest: unknown): Promise<Build>
  /** From now on, workers that start in the environment run that build. */
  deploy(
    ownerId: string,
    wanted: { readonly environmentId: string; readonly buildId: string },
  ): Promise<{ environment: Environment; build: Build }>
}

export interface AppModelDeps {
  readonly store: Pick<Store, 'resources' | 'uploads' | 'manifests' | 'endpoints'>
  readonly config: Pick<Config, 'apps'>
  readonly clock: () => number
  readonly models: Pick<ModelCache, 'check'>
  readonly removeEndpoint: (ownerId: string, id: string) => Promise<void>
}

export function createAppModel(deps: AppModelDeps): AppModel {
  const { store, clock } = deps
  const { apps, environments, builds } = store.resources
  const context = (ownerId: string) => ({ ...MODEL_TOOLS, ownerId, now: clock() })
  const read = createRead(store)
  return {
    read,
    create: (ownerId, name) => apps.save({ ...context(ownerId), id: undefined, edit: () => newApp(name, context(ownerId)) }),
    async remove(ownerId, id) {
      await apps.get(ownerId, id)
      const own = (await read(ownerId)).environments.filter(({ appId }) => appId === id)
      await removeWithEndpoints(deps, ownerId, { environmentIds: own.map((each) => each.id), remove: () => apps.remove(ownerId, { id }) })
    },
    async createEnvironment(ownerId, environment) {
      await apps.get(ownerId, environment.appId)
      return environments.save({ ...context(ownerId), id: undefined, edit: () => newEnvironment(environment, context(ownerId)) })
    },
    async removeEnvironment(ownerId, id) {
      await environments.get(ownerId, id)
      await removeWithEndpoints(deps, ownerId, { environmentIds: [id], remove: () => environments.remove(ownerId, { id }) })
    },
    getBuild: (ownerId, id) => builds.get(ownerId, id),
    manifestOf: async ({ id }) => (await store.manifests.get(id)) ?? {},
    async replaceManifest(ownerId, id, value) {
      const { manifest } = readManifest(value)
      const edit = (current: Build | undefined): Build => current ?? raiseMissing(id)
      return builds.save({ ...context(ownerId), id, edit, manifest: JSON.stringify(manifest) })
    },
    async deploy(ownerId, { environmentId, buildId }) {
      const build = await builds.get(ownerId, buildId)
      const edit = (current: Environment | undefined) => activateBuild(current ?? raiseMissing(environmentId), build, clock())
      return { build, environment: await environments.save({ ...context(ownerId), id: environmentId, edit }) }
    },
    ...createUploads(deps, read),
  }
}

function raiseMissing(id: string): never {
  throw missingResource(RESOURCE_KINDS.environments, id)
}

function createRead({ resources }: AppModelDeps['store']): AppModel['read'] {
  return async (ownerId) => {
    const [apps, environments, builds] = await Promise.all([
      resources.apps.list(ownerId),
      resources.environments.list(ownerId),
      resources.builds.list(ownerId),
    ])
    const byAge = <T extends { readonly createdAt: number }>(records: readonly T[]) => records.toSorted((a, b) => a.createdAt - b.createdAt)
    return { apps: byAge(apps), environments: byAge(environments), builds: byAge(builds) }
  }
}

const REMOVAL_TRIES = 5

/** An endpoint that is saved in the meantime is deleted, too; a client that goes on saving them gets the conflict. */
async function removeWithEndpoints(
  { store, removeEndpoint }: AppModelDeps,
  ownerId: string,
  { environmentIds, remove }: { readonly environmentIds: readonly string[]; readonly remove: () => Promise<void> },
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const own = await store.endpoints.list(ownerId)
    const users = own.filter(({ flashEnvironmentId }) => flashEnvironmentId !== null && environmentIds.includes(flashEnvironmentId))
    for (const { id } of users) await removeEndpoint(ownerId, id).catch(unless('not_found'))
    try {
      return await remove()
    } catch (error) {
      if (tries === REMOVAL_TRIES) throw error
      unless('conflict')(error)
    }
  }
}

function unless(code: RunyardError['code']): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof RunyardError) || error.code !== code) throw error
  }
}

function createUploads(
  { store, config, clock, models }: AppModelDeps,
  read: AppModel['read'],
): Pick<AppModel, 'prepareUpload' | 'finalize'> {
  const { apps, builds } = store.resources
  const { artifactBytes, uploadS, keepBuilds } = config.apps

  const removeUnneeded = async (ownerId: string, appId: string): Promise<void> => {
    const [all, endpoints] = await Promise.all([read(ownerId), store.endpoints.list(ownerId)])
    const own = all.builds.filter((build) => build.appId === appId)
    // One that becomes active now stays.
    for (const { id } of unneededBuilds({ ...all, endpoints, builds: own }, keepBuilds))
      await builds.remove(ownerId, { id }).catch((error: unknown) => void (isExpected(error) || raise(error)))
  }
  return {
    async prepareUpload(ownerId, { appId, size }) {
      await apps.get(ownerId, appId)
      if (size < 1 || size > artifactBytes)
        throw new RunyardError(
          'bad_request',
          `An artifact has between 1 and ${artifactBytes} bytes (apps.artifactBytes); ${size} was given.`,
        )
      const id = MODEL_TOOLS.randomText(24)
      const secret = randomBytes(32).toString('base64url')
      const upload = { id, secret, ownerId, appId, objectKey: `${appId}/${id}.tar.gz`, size, expiresAt: clock() + uploadS * 1000 }
      await store.uploads.prepare(upload)
      return upload
    },
    async finalize(ownerId, { appId, objectKey, manifest: value }) {
      await apps.get(ownerId, appId)
      const upload = await store.uploads.find(/\/([a-z0-9]+)\.tar\.gz$/u.exec(objectKey)?.[1] ?? '')
      if (upload?.ownerId !== ownerId || upload.appId !== appId || upload.objectKey !== objectKey)
        throw new RunyardError(
          'not_found',
          `There is no upload with the object key ${quoted(objectKey)}: it is unknown, has expired, or is a build already.`,
        )
      const { stored, size } = upload
      if (stored === undefined) throw new RunyardError('conflict', `Nothing was uploaded yet for the object key ${quoted(objectKey)}.`)
      const { artifactId, sha256, finding } = stored
      if (finding.kind === 'problem') throw new RunyardError('unprocessable', finding.problem)
      const { kind, pythonVersion, manifest } = readManifest(value)
      if (kind !== finding.of) throw new RunyardError('unprocessable', 'The manifest was made by another tool than the artifact.')
      await models.check(ownerId, manifest)
      const [now, id] = [clock(), MODEL_TOOLS.randomText(14)]
      const build: Build = { id, ownerId, appId, artifactId, objectKey, kind, pythonVersion, sizeBytes: size, sha256, createdAt: now }
      await builds.save({ ...MODEL_TOOLS, ownerId, now, id: undefined, edit: () => build, manifest: JSON.stringify(manifest) })
      await store.uploads.remove(upload.id)
      await removeUnneeded(ownerId, appId)
      return build
    },
  }
}

const isExpected = (error: unknown): boolean => error instanceof RunyardError && (error.code === 'conflict' || error.code === 'not_found')

function raise(error: unknown): never {
  throw error
}
