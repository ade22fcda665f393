// The operations of `flash deploy` and `rp flash deploy` (production §3.1): apps, environments, builds and uploads.
import { environmentStateOf, RESOURCE_KINDS, missingResource } from '@runyard/core'
import type { App, Build, Environment } from '@runyard/schema'
import { uploadUrl } from '../../artifacts/upload-route.ts'
import type { AppModel } from '../apps-model.ts'
import { endpointReply } from './endpoint-change.ts'
import type { Input } from './inputs.ts'
import type { RequestContext } from './request-context.ts'

export const APP_DEFINITIONS = /* GraphQL */ `
  extend type Query {
    flashAppByName(flashAppName: String!): FlashApp
    flashApp(flashAppId: String!): FlashApp
    flashEnvironmentByName(input: FlashEnvironmentByNameInput!): FlashEnvironment
    flashEnvironment(flashEnvironmentId: String!): FlashEnvironment
    flashBuild(flashBuildId: String!): FlashBuild
  }

  extend type Mutation {
    createFlashApp(input: CreateFlashAppInput!): FlashApp
    createFlashEnvironment(input: CreateFlashEnvironmentInput!): FlashEnvironment
    prepareFlashArtifactUpload(input: PrepareFlashArtifactUploadInput!): FlashArtifactUpload
    finalizeFlashArtifactUpload(input: FinalizeFlashArtifactUploadInput!): FlashBuild
    deployBuildToEnvironment(input: DeployBuildToEnvironmentInput!): FlashEnvironment
    updateFlashBuildManifest(input: UpdateFlashBuildManifestInput!): FlashBuild
    deleteFlashEnvironment(flashEnvironmentId: String!): JSON
    deleteFlashApp(flashAppId: String!): JSON
  }

  extend type User {
    flashApps: [FlashApp!]!
  }

  type FlashApp {
    id: String!
    name: String!
    createdAt: String
    flashEnvironments: [FlashEnvironment!]!
    flashBuilds: [FlashBuild!]!
  }

  type FlashEnvironment {
    id: String!
    name: String!
    flashAppId: String
    state: String
    activeBuildId: String
    createdAt: String
    endpoints: [Endpoint!]!
    networkVolumes: [NetworkVolume!]!
    activeArtifact: FlashArtifact
  }

  type FlashBuild {
    id: String!
    objectKey: String
    createdAt: String
    manifest: JSON
  }

  type FlashArtifact {
    objectKey: String!
    downloadUrl: String
    expiresAt: String
  }

  type FlashArtifactUpload {
    uploadUrl: String!
    objectKey: String!
    expiresAt: String!
  }
`

type WithSource<T> = Record<string, unknown> & { readonly source: T }

export const appReply = (app: App): WithSource<App> => ({ id: app.id, name: app.name, createdAt: toIso(app.createdAt), source: app })

function environmentReply(environment: Environment): WithSource<Environment> {
  const { id, name, appId, activeBuildId, createdAt } = environment
  const state = environmentStateOf(environment)
  // Volumes are not the environment's: the CLI refuses to delete one that has some (flash-api §7.7).
  return { id, name, flashAppId: appId, state, activeBuildId, createdAt: toIso(createdAt), networkVolumes: [], source: environment }
}

function buildReply(build: Build): WithSource<Build> {
  return { id: build.id, objectKey: build.objectKey, createdAt: toIso(build.createdAt), source: build }
}

const toIso = (at: number): string => new Date(at).toISOString()

export function appQueries(model: AppModel) {
  const environmentOf = async (reads: RequestContext['reads'], isWanted: (environment: Environment) => boolean) =>
    (await reads.apps()).environments.find(isWanted)
  return {
    flashAppByName: async ({ flashAppName }: { flashAppName: string }, { reads }: RequestContext) => {
      const app = (await reads.apps()).apps.find(({ name }) => name === flashAppName)
      if (app === undefined) throw missingResource(RESOURCE_KINDS.apps, flashAppName)
      return appReply(app)
    },
    flashApp: async ({ flashAppId }: { flashAppId: string }, { reads }: RequestContext) => {
      const app = (await reads.apps()).apps.find(({ id }) => id === flashAppId)
      if (app === undefined) throw missingResource(RESOURCE_KINDS.apps, flashAppId)
      return appReply(app)
    },
    flashEnvironmentByName: async (
      { input: { flashAppId, name } }: { input: Input<'FlashEnvironmentByNameInput'> },
      { reads }: RequestContext,
    ) => {
      const environment = await environmentOf(reads, (each) => each.appId === flashAppId && each.name === name)
      if (environment === undefined) throw missingResource(RESOURCE_KINDS.environments, name)
      return environmentReply(environment)
    },
    // Old workers ask for ids of something else (flash-api §7.6).
    flashEnvironment: async ({ flashEnvironmentId }: { flashEnvironmentId: string }, { reads }: RequestContext) => {
      const environment = await environmentOf(reads, ({ id }) => id === flashEnvironmentId)
      return environment === undefined ? null : environmentReply(environment)
    },
    flashBuild: async ({ flashBuildId }: { flashBuildId: string }, { key, reads }: RequestContext) => {
      reads.step('read')
      return buildReply(await model.getBuild(key.ownerId, flashBuildId))
    },
  }
}

export function appFields(model: AppModel) {
  return {
    FlashApp: {
      flashEnvironments: async ({ source: { id } }: WithSource<App>, _: unknown, { reads }: RequestContext) =>
        reads.rows((await reads.apps()).environments.filter(({ appId }) => appId === id)).map(environmentReply),
      flashBuilds: async ({ source: { id } }: WithSource<App>, _: unknown, { reads }: RequestContext) =>
        reads.rows((await reads.apps()).builds.filter(({ appId }) => appId === id)).map(buildReply),
    },
    FlashEnvironment: {
      endpoints: async ({ source: { id } }: WithSource<Environment>, _: unknown, { reads }: RequestContext) =>
        reads.rows((await reads.endpoints()).filter(({ flashEnvironmentId }) => flashEnvironmentId === id)).map(endpointReply),
      activeArtifact: async ({ source: { activeBuildId } }: WithSource<Environment>, _: unknown, { key, reads }: RequestContext) => {
        if (activeBuildId === null) return null
        reads.step('read')
        return { objectKey: (await model.getBuild(key.ownerId, activeBuildId)).objectKey, downloadUrl: null, expiresAt: null }
      },
    },
    FlashBuild: {
      manifest: ({ source }: WithSource<Build>, _: unknown, { reads }: RequestContext) => {
        reads.step('read')
        return model.manifestOf(source)
      },
    },
  }
}

export function appMutations(model: AppModel) {
  return {
    createFlashApp: async ({ input }: { input: Input<'CreateFlashAppInput'> }, { key }: RequestContext) =>
      appReply(await model.create(key.ownerId, input.name)),
    createFlashEnvironment: async (
      { input: { flashAppId, name } }: { input: Input<'CreateFlashEnvironmentInput'> },
      { key }: RequestContext,
    ) => environmentReply(await model.createEnvironment(key.ownerId, { appId: flashAppId, name })),
    prepareFlashArtifactUpload: async (
      { input: { flashAppId, tarballSize } }: { input: Input<'PrepareFlashArtifactUploadInput'> },
      { key, base }: RequestContext,
    ) => {
      const upload = await model.prepareUpload(key.ownerId, { appId: flashAppId, size: tarballSize })
      return { uploadUrl: uploadUrl(base, upload), objectKey: upload.objectKey, expiresAt: toIso(upload.expiresAt) }
    },
    finalizeFlashArtifactUpload: async (
      { input: { flashAppId, objectKey, manifest } }: { input: Input<'FinalizeFlashArtifactUploadInput'> },
      { key }: RequestContext,
    ) => buildReply(await model.finalize(key.ownerId, { appId: flashAppId, objectKey, manifest })),
    deployBuildToEnvironment: async (
      { input: { flashEnvironmentId, flashBuildId } }: { input: Input<'DeployBuildToEnvironmentInput'> },
      { key }: RequestContext,
    ) => environmentReply((await model.deploy(key.ownerId, { environmentId: flashEnvironmentId, buildId: flashBuildId })).environment),
    updateFlashBuildManifest: async (
      { input: { flashBuildId, manifest } }: { input: Input<'UpdateFlashBuildManifestInput'> },
      { key }: RequestContext,
    ) => buildReply(await model.replaceManifest(key.ownerId, flashBuildId, manifest)),
    deleteFlashEnvironment: async ({ flashEnvironmentId }: { flashEnvironmentId: string }, { key }: RequestContext) => {
      await model.removeEnvironment(key.ownerId, flashEnvironmentId)
      return true
    },
    deleteFlashApp: async ({ flashAppId }: { flashAppId: string }, { key }: RequestContext) => {
      await model.remove(key.ownerId, flashAppId)
      return true
    },
  }
}
