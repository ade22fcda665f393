// A deploy that stops after any of its steps, as both clients send them (production §3.1): the old version serves, nothing is left behind, and the next
// deploy succeeds.
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSend } from '@runyard/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { artifactOf, createGraphql, FINALIZE, FLASH_MANIFEST, prepare, put, type Graphql } from '../testing/artifact.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const APP_BY_NAME = `query($flashAppName: String!) { flashAppByName(flashAppName: $flashAppName) {
  id flashEnvironments { id name activeBuildId endpoints { id name } } } }`
const CREATE_APP = 'mutation($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }'
const CREATE_ENV = 'mutation($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }'
const DEPLOY = 'mutation($input: DeployBuildToEnvironmentInput!) { deployBuildToEnvironment(input: $input) { id } }'
const UPDATE = 'mutation($input: UpdateFlashBuildManifestInput!) { updateFlashBuildManifest(input: $input) { id } }'
const SAVE = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'
const RESOURCES = ['bill', 'greet']
const TWO_DAYS_MS = 2 * 24 * 3600_000

/** What one client knows while it deploys. */
interface Deploy {
  readonly version: string
  readonly bytes: Buffer<ArrayBuffer>
  readonly manifest: Readonly<Record<string, unknown>>
  appId?: string
  environmentId?: string
  uploadUrl?: string
  objectKey?: string
  buildId?: string
}
interface Step {
  readonly name: string
  readonly run: (deploy: Deploy) => Promise<unknown>
}
type Client = 'Flash' | 'SDK 2.0'

let root: string
afterAll(() => rm(root, { recursive: true, force: true }))
const startGateway = useGateways()
let gateway: TestGateway
let owner: string
let graphql: Graphql

const apps = { keepBuilds: 1, artifactBytes: 5_000_000, uploadS: 60 }

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-broken-deploys-'))
  gateway = await startGateway({ blobs: { directory: join(root, 'blobs') }, apps })
})
beforeEach(async () => {
  owner = `owner${Math.random()}`
  const { plain } = await gateway.store.keys.create({ name: 'test', ownerId: owner })
  graphql = createGraphql(createSend(gateway.publicUrl, { authorization: `Bearer ${plain}` }))
})

/** @throws the sentence of a refusal */
async function ask<T>(query: string, field: string, variables: Record<string, unknown>): Promise<T> {
  const data = await graphql(query, variables)
  if (typeof data === 'string') throw new Error(data)
  return (data as Record<string, T>)[field] as T
}
const need = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('an earlier step of the deploy is missing')
  return value
}

interface App {
  readonly id: string
  readonly flashEnvironments: readonly { id: string; activeBuildId: string | null; endpoints: readonly { id: string; name: string }[] }[]
}
async function app(): Promise<App | undefined> {
  const data = await graphql(APP_BY_NAME, { flashAppName: 'shop' })
  return typeof data === 'string' ? undefined : (data as { flashAppByName: App }).flashAppByName
}

const save = (name: string, client: Client): Step => ({
  name: `saveEndpoint ${name}`,
  async run({ environmentId, version }) {
    const known = (await app())?.flashEnvironments[0]?.endpoints.find((endpoint) => endpoint.name === name)
    const image = client === 'Flash' ? 'runpod/flash-cpu:py3.12-latest' : 'runpod/queue:py3.12-latest'
    const variable = client === 'Flash' ? '_FLASH_SOURCE_FINGERPRINT' : 'RUNPOD_BUILD_ID'
    const env = Object.entries({ FLASH_RESOURCE_NAME: name, [variable]: version }).map(([key, value]) => ({ key, value }))
    const template = { name: `shop-${name}`, imageName: image, containerDiskInGb: 10, dockerArgs: '', env }
    await ask(SAVE, 'saveEndpoint', {
      input: {
        ...(known && { id: known.id }),
        name,
        instanceIds: ['cpu3g-2-8'],
        flashEnvironmentId: environmentId,
        template,
        ...(client === 'SDK 2.0' && { volumes: [] }),
      },
    })
  },
})

function stepsOf(client: Client): readonly Step[] {
  return [
    {
      name: 'flashAppByName, createFlashApp',
      async run(deploy) {
        deploy.appId = ((await app()) ?? (await ask<{ id: string }>(CREATE_APP, 'createFlashApp', { input: { name: 'shop' } }))).id
      },
    },
    {
      name: 'createFlashEnvironment',
      async run(deploy) {
        const input = { flashAppId: need(deploy.appId), name: 'production' }
        const known = (await app())?.flashEnvironments[0]
        deploy.environmentId = (known ?? (await ask<{ id: string }>(CREATE_ENV, 'createFlashEnvironment', { input }))).id
      },
    },
    {
      name: 'prepareFlashArtifactUpload',
      run: async (deploy) => Object.assign(deploy, await prepare(graphql, need(deploy.appId), deploy.bytes.length)),
    },
    { name: 'half of the upload', run: async (deploy) => putHalf(need(deploy.uploadUrl), deploy.bytes) },
    { name: 'the upload', run: async (deploy) => expect(await put(need(deploy.uploadUrl), deploy.bytes)).toBe(204) },
    {
      name: 'finalizeFlashArtifactUpload',
      async run(deploy) {
        const input = { flashAppId: deploy.appId, objectKey: deploy.objectKey, manifest: deploy.manifest }
        deploy.buildId = (await ask<{ id: string }>(FINALIZE, 'finalizeFlashArtifactUpload', { input })).id
      },
    },
    {
      name: 'deployBuildToEnvironment',
      run: async ({ environmentId, buildId }) =>
        ask(DEPLOY, 'deployBuildToEnvironment', { input: { flashEnvironmentId: environmentId, flashBuildId: buildId } }),
    },
    ...RESOURCES.map((name) => save(name, client)),
    ...(client === 'Flash'
      ? [
          {
            name: 'updateFlashBuildManifest',
            run: async ({ buildId, manifest }: Deploy) =>
              ask(UPDATE, 'updateFlashBuildManifest', { input: { flashBuildId: buildId, manifest } }),
          },
        ]
      : []),
  ]
}

async function putHalf(url: string, bytes: Buffer): Promise<void> {
  const { pathname, search, port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes.length}\r\n\r\n`)
  socket.end(bytes.subarray(0, bytes.length / 2))
  await once(socket.resume(), 'close')
}

async function deployOf(client: Client, version: string): Promise<Deploy> {
  const resources = client === 'Flash' ? { greet: {}, bill: {} } : RESOURCES.map((name) => ({ kind: 'queue', name, module: 'main' }))
  const manifest = client === 'Flash' ? { ...FLASH_MANIFEST, resources } : { version: 1, app: 'shop', pythonVersion: '3.12', resources }
  const inner = JSON.stringify(manifest)
  const entries = [{ name: './main.py', text: `VERSION = "${version}${Math.random()}"` }]
  const bytes =
    client === 'Flash'
      ? await artifactOf(entries, inner)
      : await artifactOf([...entries, { name: './runpod_manifest.json', text: inner }], '')
  return { version, bytes, manifest }
}

async function run(deploy: Deploy, steps: readonly Step[]): Promise<Deploy> {
  for (const step of steps) await step.run(deploy)
  return deploy
}

/** A day is over. Resolves to the artifacts that are left. */
async function sweep(): Promise<readonly string[]> {
  const now = Date.now() + TWO_DAYS_MS
  await gateway.store.artifacts.adoptBlobs(now)
  await gateway.store.artifacts.sweepBlobs(now)
  const files = await readdir(join(root, 'blobs'), { recursive: true, withFileTypes: true })
  return files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

async function expectNothingLeft(): Promise<void> {
  const left = await sweep()
  const builds = await gateway.store.resources.builds.list()
  expect(new Set(left.map((path) => path.split('/').at(-2)))).toEqual(new Set(builds.map(({ artifactId }) => artifactId)))
}

const active = async (): Promise<string | null | undefined> => (await app())?.flashEnvironments[0]?.activeBuildId

describe.each(['Flash', 'SDK 2.0'] as const)('a deploy of %s', (client) => {
  const steps = stepsOf(client)
  const activation = steps.findIndex(({ name }) => name === 'deployBuildToEnvironment')

  test.each(steps.map(({ name }, at) => [name, at] as const))(
    'that stops after %s leaves a whole version, and the next one succeeds',
    async (_name, at) => {
      const first = await run(await deployOf(client, 'v1'), steps)
      const before = (await app())?.flashEnvironments[0]?.endpoints
      const second = await run(await deployOf(client, 'v2'), steps.slice(0, at + 1))
      expect(await active()).toBe(at < activation ? first.buildId : second.buildId)
      expect((await app())?.flashEnvironments[0]?.endpoints).toEqual(before)
      await expectNothingLeft()
      // What is active can be read by a host.
      const record = (await gateway.store.resources.builds.list(owner)).find(({ id }) => id === (at < activation ? first : second).buildId)
      await using reader = await gateway.store.artifacts.read(record?.artifactId ?? '')
      expect(reader?.size).toBe((at < activation ? first : second).bytes.length)

      const third = await run(await deployOf(client, 'v3'), steps)
      expect(await active()).toBe(third.buildId)
      await expectNothingLeft()
    },
  )

  test('that stops before its first activation leaves an app that can be deployed to', async () => {
    await run(await deployOf(client, 'v1'), steps.slice(0, activation))
    expect(await active()).toBeNull()
    const next = await run(await deployOf(client, 'v2'), steps)
    expect(await active()).toBe(next.buildId)
  })
})

describe('an upload', () => {
  const steps = stepsOf('Flash')
  const upTo = (name: string): readonly Step[] =>
    steps.slice(
      0,
      steps.findIndex((step) => step.name === name),
    )
  let first: Deploy
  beforeEach(async () => {
    first = await run(await deployOf('Flash', 'v1'), steps)
  })
  const expectFirst = async (): Promise<void> => {
    expect(await active()).toBe(first.buildId)
    await expectNothingLeft()
  }

  test('that the disk of the blob store does not take is refused, and leaves nothing', async () => {
    const deploy = await run(await deployOf('Flash', 'v2'), upTo('half of the upload'))
    const incoming = await readdir(join(root, 'blobs')).then((names) => names.find((name) => name.startsWith('.')))
    const place = join(root, 'blobs', incoming ?? '')
    await rename(place, join(root, 'away'))
    await writeFile(place, '')
    expect(await put(need(deploy.uploadUrl), deploy.bytes)).toBe(503)
    await rm(place)
    await rename(join(root, 'away'), place)
    await expectFirst()
    expect(await put(need(deploy.uploadUrl), deploy.bytes)).toBe(204)
  })

  test('that takes longer than its URL lives becomes no build, and leaves nothing', async () => {
    const deploy = await run(await deployOf('Flash', 'v2'), upTo('half of the upload'))
    const { pathname, search, port } = new URL(need(deploy.uploadUrl))
    const socket = connect(Number(port), '127.0.0.1')
    socket.setEncoding('utf8')
    let answer = ''
    socket.on('data', (text: string) => (answer += text))
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${deploy.bytes.length}\r\n\r\n`)
    socket.write(deploy.bytes.subarray(0, 10))
    // The gateway has begun to write it.
    await expect
      .poll(() => readdir(join(root, 'blobs'), { recursive: true }).then((names) => names.some((name) => /^\.[^/]+\/./u.test(name))))
      .toBe(true)
    await gateway.store.uploads.remove(pathname.split('/').at(-1) ?? '')
    socket.write(deploy.bytes.subarray(10))
    await once(socket, 'close')
    expect(answer).toMatch(/^HTTP\/1.1 404 [^]*This upload URL has expired; deploy again/u)
    await expectFirst()
  })

  test('whose gateway was killed leaves a file that is removed a day later', async () => {
    const names = await readdir(join(root, 'blobs'))
    const left = join(root, 'blobs', names.find((name) => name.startsWith('.')) ?? '', 'left-by-a-killed-gateway')
    await writeFile(left, 'half')
    expect(await sweep()).not.toContain(left)
    await expectFirst()
  })
})
