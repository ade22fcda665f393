// A deploy as both clients send it (production §3.1), over real sockets, with a directory as the blob store.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSend } from '@runyard/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { artifactOf, createGraphql, FINALIZE, FLASH_MANIFEST, prepare, put, type Graphql } from '../testing/artifact.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const APP_BY_NAME = `query getFlashAppByName($flashAppName: String!) { flashAppByName(flashAppName: $flashAppName) {
  id name flashEnvironments { id name state activeBuildId createdAt endpoints { id name } } flashBuilds { id objectKey createdAt } } }`
const CREATE_APP = 'mutation createFlashApp($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }'
const CREATE_ENV = 'mutation($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }'
const ENV_BY_NAME = `query($input: FlashEnvironmentByNameInput!) { flashEnvironmentByName(input: $input) {
  id name state activeBuildId createdAt endpoints { id name } networkVolumes { id name } } }`
const DEPLOY = `mutation($input: DeployBuildToEnvironmentInput!) { deployBuildToEnvironment(input: $input) {
  id name activeArtifact { objectKey downloadUrl expiresAt } } }`
const BUILD = 'query getFlashBuild($input: String!) { flashBuild(flashBuildId: $input) { id manifest } }'
const UPDATE = 'mutation($input: UpdateFlashBuildManifestInput!) { updateFlashBuildManifest(input: $input) { id manifest } }'
const MY_APPS = `query { myself { flashApps { id name flashEnvironments { id name state createdAt activeBuildId }
  flashBuilds { id createdAt } } } }`
const SAVE = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id name flashEnvironmentId } }'

let root: string
afterAll(() => rm(root, { recursive: true, force: true }))
const startGateway = useGateways()
let gateway: TestGateway
let owner: string
let graphql: Graphql
let appId: string
let environmentId: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-apps-'))
  gateway = await startGateway({ blobs: { directory: join(root, 'blobs') }, apps: { keepBuilds: 2, artifactBytes: 5_000_000 } })
})
beforeEach(async () => {
  owner = `owner${Math.random()}`
  graphql = await graphqlOf(owner)
  const { createFlashApp } = (await graphql(CREATE_APP, { input: { name: 'shop' } })) as { createFlashApp: { id: string } }
  appId = createFlashApp.id
  const made = (await graphql(CREATE_ENV, { input: { flashAppId: appId, name: 'production' } })) as {
    createFlashEnvironment: { id: string }
  }
  environmentId = made.createFlashEnvironment.id
})

async function graphqlOf(ownerId: string): Promise<Graphql> {
  const { plain } = await gateway.store.keys.create({ name: 'test', ownerId })
  return createGraphql(createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` }))
}

const finalize = (objectKey: string, manifest: unknown = FLASH_MANIFEST) =>
  graphql(FINALIZE, { input: { flashAppId: appId, objectKey, manifest } })

async function build(text = 'x = 1', manifest: unknown = FLASH_MANIFEST): Promise<{ id: string; objectKey: string }> {
  const bytes = await artifactOf([{ name: './main.py', text }])
  const { uploadUrl, objectKey } = await prepare(graphql, appId, bytes.length)
  expect(await put(uploadUrl, bytes)).toBe(204)
  const { finalizeFlashArtifactUpload } = (await finalize(objectKey, manifest)) as { finalizeFlashArtifactUpload: { id: string } }
  return { id: finalizeFlashArtifactUpload.id, objectKey }
}

const deploy = (buildId: string, id = environmentId) => graphql(DEPLOY, { input: { flashEnvironmentId: id, flashBuildId: buildId } })

function saveInput(change: Record<string, unknown> = {}): Record<string, unknown> {
  const env = [{ key: 'FLASH_RESOURCE_NAME', value: 'greet' }]
  const template = { name: 't', imageName: 'runpod/flash-cpu:py3.12-latest', env }
  return { input: { name: 'greet', instanceIds: ['cpu3g-2-8'], flashEnvironmentId: environmentId, template, ...change } }
}

describe('a deploy', () => {
  test('goes from the app to the active build and its endpoints', async () => {
    expect(await graphql(APP_BY_NAME, { flashAppName: 'other' })).toMatch(/app not found/iu)
    const { id, objectKey } = await build()
    expect(await deploy(id)).toEqual({
      deployBuildToEnvironment: {
        id: environmentId,
        name: 'production',
        activeArtifact: { objectKey, downloadUrl: null, expiresAt: null },
      },
    })
    expect(await graphql(BUILD, { input: id })).toEqual({ flashBuild: { id, manifest: FLASH_MANIFEST } })
    const { saveEndpoint } = (await graphql(SAVE, saveInput())) as { saveEndpoint: { id: string } }
    const manifest = { ...FLASH_MANIFEST, resources_endpoints: { greet: 'https://x.test' } }
    expect(await graphql(UPDATE, { input: { flashBuildId: id, manifest } })).toEqual({ updateFlashBuildManifest: { id, manifest } })
    const endpoints = [{ id: saveEndpoint.id, name: 'greet' }]
    const found = { id: environmentId, name: 'production', state: 'deployed', activeBuildId: id, createdAt: expect.any(String) }
    expect(await graphql(APP_BY_NAME, { flashAppName: 'shop' })).toEqual({
      flashAppByName: {
        id: appId,
        name: 'shop',
        flashEnvironments: [{ ...found, endpoints }],
        flashBuilds: [{ id, objectKey, createdAt: expect.any(String) }],
      },
    })
    expect(await graphql(ENV_BY_NAME, { input: { flashAppId: appId, name: 'production' } })).toEqual({
      flashEnvironmentByName: { ...found, endpoints, networkVolumes: [] },
    })
    expect(await graphql(MY_APPS)).toMatchObject({ myself: { flashApps: [{ name: 'shop', flashEnvironments: [found] }] } })
  })

  test('leaves the artifact where a host finds it', async () => {
    const bytes = await artifactOf([{ name: './main.py', text: 'x = 2' }])
    const { uploadUrl, objectKey } = await prepare(graphql, appId, bytes.length)
    await put(uploadUrl, bytes)
    await finalize(objectKey)
    const [record] = await gateway.store.resources.builds.list(owner)
    expect(record).toMatchObject({ appId, kind: 'flash', pythonVersion: '3.12', sizeBytes: bytes.length })
    await using reader = await gateway.store.artifacts.read(record?.artifactId ?? '')
    const chunks: Uint8Array[] = []
    for await (const chunk of reader?.bytes ?? []) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  })

  test('that stops before the activation leaves the old build active', async () => {
    const first = await build()
    await deploy(first.id)
    await build('x = 3')
    expect(await graphql(ENV_BY_NAME, { input: { flashAppId: appId, name: 'production' } })).toMatchObject({
      flashEnvironmentByName: { activeBuildId: first.id },
    })
  })

  test('keeps the active build and the newest ones, and no others', async () => {
    const builds = []
    for (const n of [1, 2, 3, 4]) {
      builds.push(await build(`x = ${n}`))
      if (n === 1) await deploy(builds[0]?.id ?? '')
    }
    const left = (await gateway.store.resources.builds.list(owner)).map(({ id }) => id)
    expect(new Set(left)).toEqual(new Set([builds[0]?.id, builds[2]?.id, builds[3]?.id]))
    expect(await graphql(BUILD, { input: builds[1]?.id })).toBe(`Build not found: "${builds[1]?.id}".`)
  })

  test('is explained by the Python of the build that the next worker runs, and an image with its own needs none', async () => {
    const [old, active] = [await build('x = 1', { ...FLASH_MANIFEST, python_version: '3.11' }), await build('x = 2')]
    await deploy(active.id)
    const { saveEndpoint } = (await graphql(SAVE, saveInput())) as { saveEndpoint: { id: string } }
    const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
    const offer = { cpuCount: 8, memoryBytes: 32e9, gpus: [], cudaVersion: null, pythons: ['3.12'] }
    const inventory = { hostId: 'h1', kind: 'docker' as const, capabilities, ...offer }
    await gateway.store.hosts.putSight('h1', { health: 'ready', label: 'box', kind: 'docker', at: Date.now(), claims: {}, inventory })
    const { plain } = await gateway.store.keys.create({ name: 'test', ownerId: owner })
    const rest = createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` })
    const before = await gateway.store.endpoints.get(saveEndpoint.id)
    const refusalFor = async (image: string, pinned: { readonly buildId?: string }) => {
      if (before === undefined) throw new Error('the endpoint is not stored')
      await gateway.store.endpoints.upsert({ id: before.id }, () => ({ ...before, ...pinned, spec: { ...before.spec, image } }))
      const { json } = await rest(`/runyard/v1/explain/${before.id}`)
      return (json['hosts'] as readonly { readonly refusal?: unknown }[]).map(({ refusal }) => refusal)
    }
    const flash = 'runpod/flash-cpu:latest'
    expect(await refusalFor(flash, {})).toEqual([undefined])
    expect(await refusalFor(flash, { buildId: old.id })).toEqual([
      expect.objectContaining({ reason: 'no_python', message: expect.stringContaining('3.11') }),
    ])
    expect(await refusalFor('mine/worker:1', { buildId: old.id })).toEqual([undefined])
    await gateway.store.hosts.forget('h1')
  })

  test('is undone by a roll-back of its endpoints, which then run the build of their release until they are saved again', async () => {
    const [first, second] = [await build('x = 1'), await build('x = 2')]
    const saveOf = (value: string) =>
      graphql(
        SAVE,
        saveInput({ template: { name: 't', imageName: 'runpod/flash-cpu:py3.12-latest', env: [{ key: 'FINGERPRINT', value }] } }),
      )
    const { plain } = await gateway.store.keys.create({ name: 'test', ownerId: owner })
    const rest = createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` })
    const endpoint = async () => (await gateway.store.endpoints.list(owner))[0]
    const rollBack = async (version: number) =>
      rest(`/runyard/v1/endpoints/${(await endpoint())?.id ?? ''}/rollback`, { method: 'POST', body: { version } })
    await deploy(first.id)
    await saveOf('1')
    await deploy(second.id)
    await saveOf('2')
    expect((await endpoint())?.buildId).toBeUndefined()
    expect((await rollBack(1)).status).toBe(200)
    expect((await endpoint())?.buildId).toBe(first.id)
    // It stays although two newer ones exist, and another setting keeps it.
    const third = await build('x = 3')
    expect((await gateway.store.resources.builds.list(owner)).map(({ id }) => id)).toContain(first.id)
    await graphql(SAVE, saveInput({ id: (await endpoint())?.id, workersMax: 7, template: undefined }))
    expect((await endpoint())?.buildId).toBe(first.id)
    await deploy(third.id)
    await saveOf('3')
    expect((await endpoint())?.buildId).toBeUndefined()
    await build('x = 4')
    expect((await rollBack(1)).json).toMatchObject({ detail: expect.stringMatching(/^The build of release 1 was removed/u) })
  })

  test('finds its endpoint under the names that Flash gives it, and gives the sent name back', async () => {
    await graphql(SAVE, saveInput())
    expect(await graphql(SAVE, saveInput({ name: 'live-greet' }))).toMatchObject({ saveEndpoint: { name: 'live-greet' } })
    expect(await graphql(SAVE, saveInput({ name: 'greet-fb' }))).toMatchObject({ saveEndpoint: { name: 'greet-fb' } })
    expect(await gateway.store.endpoints.list(owner)).toHaveLength(1)
  })

  test('to an app that was created again moves the endpoints that arrive with its environment', async () => {
    const { saveEndpoint } = (await graphql(SAVE, saveInput())) as { saveEndpoint: { id: string } }
    const again = (await graphql(CREATE_ENV, { input: { flashAppId: appId, name: 'staging' } })) as {
      createFlashEnvironment: { id: string }
    }
    const { id } = again.createFlashEnvironment
    const moved = saveInput({ id: saveEndpoint.id, flashEnvironmentId: id, volumes: [] })
    expect(await graphql(SAVE, moved)).toMatchObject({ saveEndpoint: { id: saveEndpoint.id, flashEnvironmentId: id } })
  })
})

describe('deleting', () => {
  const withEndpoint = async () => {
    await deploy((await build()).id)
    await graphql(SAVE, saveInput())
  }

  test('an environment takes its endpoints with it and leaves the builds', async () => {
    await withEndpoint()
    const DELETE = 'mutation($id: String!) { deleteFlashEnvironment(flashEnvironmentId: $id) }'
    expect(await graphql(DELETE, { id: environmentId })).toEqual({ deleteFlashEnvironment: true })
    expect(await gateway.store.endpoints.list(owner)).toEqual([])
    expect(await gateway.store.resources.builds.list(owner)).toHaveLength(1)
    expect(await graphql(DELETE, { id: environmentId })).toMatch(/^Environment not found/u)
  })

  test('an app takes everything with it', async () => {
    await withEndpoint()
    expect(await graphql('mutation($id: String!) { deleteFlashApp(flashAppId: $id) }', { id: appId })).toEqual({ deleteFlashApp: true })
    const { endpoints, resources } = gateway.store
    expect(await Promise.all([endpoints.list(owner), resources.environments.list(owner), resources.builds.list(owner)])).toEqual([
      [],
      [],
      [],
    ])
    expect(await graphql(APP_BY_NAME, { flashAppName: 'shop' })).toMatch(/app not found/iu)
  })
})

describe('of another owner', () => {
  test('nothing is found', async () => {
    const { id } = await build()
    const own = graphql
    graphql = await graphqlOf('somebody else')
    expect(await graphql(APP_BY_NAME, { flashAppName: 'shop' })).toMatch(/app not found/iu)
    expect(await graphql(BUILD, { input: id })).toMatch(/^Build not found/u)
    expect(await deploy(id)).toMatch(/^Build not found/u)
    expect(await graphql('query($id: String!) { flashEnvironment(flashEnvironmentId: $id) { id } }', { id: environmentId })).toEqual({
      flashEnvironment: null,
    })
    expect(await graphql(SAVE, saveInput())).toMatch(/^Environment not found/u)
    await expect(prepare(graphql, appId, 10)).rejects.toThrow('App not found')
    expect(await finalize('x/y.tar.gz')).toMatch(/^App not found/u)
    graphql = own
    expect(await deploy('unknown')).toBe('Build not found: "unknown".')
  })
})

describe('an upload', () => {
  test('has a URL at the address that the client used, or that its proxy has', async () => {
    const [, key = ''] = /^(.*)$/u.exec((await gateway.store.keys.create({ name: 'test', ownerId: owner })).plain) ?? []
    const headers = { authorization: `Bearer ${key}` }
    const send = createSend(gateway.publicUrl, headers)
    const proxied = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'flash.example', 'x-forwarded-prefix': '/pool' }
    expect((await prepare(createGraphql(send), appId, 10)).uploadUrl).toMatch(`${gateway.publicUrl}/runyard/v1/uploads/`)
    expect((await prepare(createGraphql(send, proxied), appId, 10)).uploadUrl).toMatch('https://flash.example/pool/runyard/v1/uploads/')
  })

  test('works again after its connection broke, and ends when it is a build', async () => {
    const bytes = await artifactOf([{ name: 'main.py', text: 'x'.repeat(100_000) }])
    const { uploadUrl, objectKey } = await prepare(graphql, appId, bytes.length)
    const { pathname, search, port } = new URL(uploadUrl)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes.length}\r\n\r\n`)
    socket.end(bytes.subarray(0, 100))
    await once(socket.resume(), 'close')
    expect(await finalize(objectKey)).toMatch(/^Nothing was uploaded yet/u)
    expect(await put(uploadUrl, bytes)).toBe(204)
    expect(await put(uploadUrl, bytes)).toBe(204)
    expect(await finalize(objectKey)).toMatchObject({ finalizeFlashArtifactUpload: { manifest: FLASH_MANIFEST } })
    expect(await put(uploadUrl, bytes)).toBe(404)
    expect(await finalize(objectKey)).toMatch(/is a build already/u)
  })

  test('is refused before its body is read where its URL or its size is wrong', async () => {
    const bytes = await artifactOf([])
    const { uploadUrl } = await prepare(graphql, appId, bytes.length)
    const { count } = gateway.apps.publicApp.admitted
    expect(await put(`${uploadUrl}x`, bytes)).toBe(404)
    expect(await put(uploadUrl.replace(/\?.*/u, ''), bytes)).toBe(404)
    expect(await put(uploadUrl.replace('uploads/', 'uploads/x'), bytes)).toBe(404)
    expect(await put(uploadUrl, new Uint8Array(bytes.length + 1))).toBe(400)
    expect(gateway.apps.publicApp.admitted.count).toBe(count)
  })

  test('that expired is refused', async () => {
    const { uploadUrl } = await prepare(graphql, appId, 10)
    const [id = ''] = /[a-z0-9]{24}/u.exec(uploadUrl) ?? []
    await gateway.store.uploads.remove(id)
    expect(await put(uploadUrl, new Uint8Array(10))).toBe(404)
  })

  test('larger than the limit is refused when it is prepared', async () => {
    await expect(prepare(graphql, appId, 5_000_001)).rejects.toThrow('between 1 and 5000000 bytes (apps.artifactBytes)')
    await expect(prepare(graphql, appId, 0)).rejects.toThrow('0 was given')
  })

  test.each([
    ['a link', [{ name: 'a', type: 'symlink' as const, linkname: '/' }], undefined, 'which is a symlink'],
    ['no manifest', [{ name: 'a' }], '', 'has no flash_manifest.json'],
  ])('with %s becomes no build', async (_what, entries, inner, sentence) => {
    const bytes = await artifactOf(entries, inner)
    const { uploadUrl, objectKey } = await prepare(graphql, appId, bytes.length)
    expect(await put(uploadUrl, bytes)).toBe(204)
    expect(await finalize(objectKey)).toContain(sentence)
    expect(await gateway.store.resources.builds.list(owner)).toEqual([])
  })

  test.each([
    ['a list', [], 'must be a JSON object'],
    ['an object of something else', { a: 1 }, 'is no manifest of a build'],
    ['one of the other tool', { app: 'shop', resources: [] }, 'was made by another tool'],
  ])('becomes no build with %s as its manifest', async (_what, manifest, sentence) => {
    const bytes = await artifactOf([])
    const { uploadUrl, objectKey } = await prepare(graphql, appId, bytes.length)
    await put(uploadUrl, bytes)
    expect(await finalize(objectKey, manifest)).toContain(sentence)
    expect(await finalize(objectKey)).toMatchObject({ finalizeFlashArtifactUpload: {} })
  })
})
