// A deploy as both clients send it (production §3.1), with a small archive in place of a vendored one.
import { createReadStream } from 'node:fs'
import { glob, readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { appArchive } from '@runyard/testing'
import type { Stack } from './stack.ts'
import { venvPath, type VenvName } from './venvs.ts'

export interface DeployedApp {
  readonly environmentId: string
  /** Uploads the files as a build and activates it; returns its id. */
  readonly deploy: (files: Readonly<Record<string, string>>) => Promise<string>
  /** The same with an archive that is on the disk. */
  readonly deployFile: (path: string) => Promise<string>
  /** Saves a function of the app; returns the endpoint's id. */
  readonly save: (name: string, env?: Readonly<Record<string, string>>, more?: object) => Promise<string>
  readonly remove: () => Promise<void>
}

const CREATE_APP = 'mutation($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }'
const CREATE_ENVIRONMENT = 'mutation($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }'
const PREPARE =
  'mutation($input: PrepareFlashArtifactUploadInput!) { prepareFlashArtifactUpload(input: $input) { uploadUrl objectKey expiresAt } }'
const FINALIZE = 'mutation($input: FinalizeFlashArtifactUploadInput!) { finalizeFlashArtifactUpload(input: $input) { id manifest } }'
const ACTIVATE = 'mutation($input: DeployBuildToEnvironmentInput!) { deployBuildToEnvironment(input: $input) { id name } }'
const SAVE = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id name } }'
const REMOVE = 'mutation($id: String!) { deleteFlashApp(flashAppId: $id) }'

/** The source of an SDK, as a build vendors it. */
export async function vendoredFiles(venv: VenvName, name: string, prefix = ''): Promise<Readonly<Record<string, string>>> {
  const root = join(venvPath(venv), 'lib/python3.11/site-packages')
  const files: Record<string, string> = {}
  for await (const path of glob(`${name}/**/*.py`, { cwd: root })) files[`${prefix}${path}`] = await readFile(join(root, path), 'utf8')
  return files
}

/** With the exact length, as both clients send it. @throws with the reply of a refusal */
export async function putStream(url: string, size: number, bytes: Readable): Promise<void> {
  const sent = request(url, { method: 'PUT', headers: { 'content-type': 'application/gzip', 'content-length': size } })
  const answered = new Promise<void>((resolve, reject) => {
    sent.once('error', reject)
    sent.once('response', (answer) => {
      const { statusCode: status = 0 } = answer
      if (status < 300) answer.resume().once('end', resolve)
      else void answer.toArray().then((chunks) => reject(new Error(`the upload was answered with ${status}: ${chunks.join('')}`)), reject)
    })
  })
  await Promise.all([pipeline(bytes, sent), answered])
}

/** `manifest`: also among the files, under the name that its client uses. */
export async function createDeployedApp(
  { api }: Stack,
  { name, image, manifest, manifestFile }: { name: string; image: string; manifest: object; manifestFile: string },
): Promise<DeployedApp> {
  const call = async <T>(query: string, field: string, variables: object): Promise<T> =>
    (await api.graphql(query, { ...variables }))[field] as T
  const { id: flashAppId } = await call<{ id: string }>(CREATE_APP, 'createFlashApp', { input: { name } })
  const made = await call<{ id: string }>(CREATE_ENVIRONMENT, 'createFlashEnvironment', { input: { flashAppId, name: 'production' } })
  const environmentId = made.id
  const ids = new Map<string, string>()
  const deployArchive = async (tarballSize: number, bytes: Readable): Promise<string> => {
    const prepared = await call<{ uploadUrl: string; objectKey: string }>(PREPARE, 'prepareFlashArtifactUpload', {
      input: { flashAppId, tarballSize },
    })
    await putStream(prepared.uploadUrl, tarballSize, bytes)
    const input = { flashAppId, objectKey: prepared.objectKey, manifest }
    const build = await call<{ id: string }>(FINALIZE, 'finalizeFlashArtifactUpload', { input })
    await call(ACTIVATE, 'deployBuildToEnvironment', { input: { flashEnvironmentId: environmentId, flashBuildId: build.id } })
    return build.id
  }
  return {
    environmentId,
    async deploy(files) {
      const archive = appArchive({ ...files, [manifestFile]: JSON.stringify(manifest) })
      return deployArchive(archive.length, Readable.from([archive]))
    },
    deployFile: async (path) => deployArchive((await stat(path)).size, createReadStream(path)),
    async save(resource, env = {}, more = {}) {
      const variables = Object.entries({ FLASH_RESOURCE_NAME: resource, ...env }).map(([key, value]) => ({ key, value }))
      const input = {
        ...(ids.has(resource) ? { id: ids.get(resource) } : {}),
        name: resource,
        flashEnvironmentId: environmentId,
        instanceIds: ['cpu3c-1-2'],
        workersMin: 0,
        workersMax: 2,
        idleTimeout: 60,
        scalerType: 'QUEUE_DELAY',
        scalerValue: 1,
        template: { name: `${name}-${resource}`, imageName: image, containerDiskInGb: 10, dockerArgs: '', env: variables },
        ...more,
      }
      const { id } = await call<{ id: string }>(SAVE, 'saveEndpoint', { input })
      ids.set(resource, id)
      return id
    },
    async remove() {
      for (const id of ids.values()) await api.deleteEndpoint(id)
      await call(REMOVE, 'deleteFlashApp', { id: flashAppId })
    },
  }
}
