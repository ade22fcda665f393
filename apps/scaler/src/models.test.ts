// Models from a hub on loopback, on a process host (ADR 86): the client of the hub, what is fetched how often, and what is refused.
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProcessHost } from '@runyard/host-process'
import { createHub } from '@runyard/kit'
import { Config, type CachedModel, type HostDriver } from '@runyard/schema'
import { openFakeHub, type FakeHub } from '@runyard/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createModels, type Models } from './models.ts'
import { endpointOf } from './testing/scaler-fixture.ts'

const COMMIT = 'c'.repeat(40)
const WEIGHTS = Buffer.alloc(300_000, 'weights')
const FILES = { 'config.json': '{"a":1}', 'onnx/model.bin': WEIGHTS, 'empty.txt': '', 'copy.json': '{"a":1}' }

let hub: FakeHub
let directory: string
let driver: HostDriver

beforeEach(async () => {
  hub = await openFakeHub()
  hub.models.set('meta/llama', { commit: COMMIT, files: FILES, lfs: ['onnx/model.bin'] })
  directory = await mkdtemp(join(tmpdir(), 'runyard-models-'))
  const options = { label: 'here', hostId: 'process:here', instanceId: 'test', agentCommand: ['true'], run: async () => undefined }
  driver = createProcessHost({ ...options, scratchDir: join(directory, 'workers'), modelsDir: join(directory, 'models') })
})

afterEach(async () => {
  await driver[Symbol.asyncDispose]()
  await hub[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const client = () => createHub(hub.url, { pauseMs: 1 })
const anonymous = { token: undefined }

function modelsWith({
  maxBytes = 1e9,
  endpoints = [],
}: { maxBytes?: number; endpoints?: readonly ReturnType<typeof userOf>[] } = {}): Models {
  const config = Config.parse({ models: { hubUrl: hub.url, maxBytes }, images: { keepFreeBytes: 0 } })
  return createModels({ store: { endpoints: { list: async () => endpoints } } as never, config, hub: client() })
}

function userOf(models: CachedModel[], { ownerId = 'owner', env = {} }: { ownerId?: string; env?: Record<string, string> } = {}) {
  return { ...endpointOf('ep-one', { spec: { models, env } }), ownerId }
}

const waiter = () => ({ onProgress: (line: string) => void lines.push(line), signal: new AbortController().signal })
let lines: string[] = []
beforeEach(() => void (lines = []))

const downloads = () => hub.requests.filter((line) => line.startsWith('GET') && /resolve/.test(line))

test('a model is in the layout of huggingface_hub’s cache, with the store of SDK 2 beside it, and is fetched once', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  expect(model).toEqual({ repo: 'meta/llama', ref: 'main', commit: COMMIT, sizeBytes: 300_014, needsToken: false })
  const models = modelsWith()
  const [first, second] = await Promise.all([
    models.ensure(driver, userOf([model]), waiter()),
    models.ensure(driver, userOf([model], { ownerId: 'other' }), waiter()),
  ])
  expect(second).toEqual(first)
  const place = join(directory, 'models', first[0]?.id ?? '')
  expect(await readFile(join(place, 'snapshots', COMMIT, 'onnx/model.bin'))).toEqual(WEIGHTS)
  expect(await readFile(join(place, COMMIT, 'copy.json'), 'utf8')).toBe('{"a":1}')
  expect(await readFile(join(place, 'refs/main'), 'utf8')).toBe(COMMIT)
  expect(await readlink(join(place, 'snapshots', COMMIT, 'empty.txt'))).toMatch(/^..\/..\/blobs\/[0-9a-f]{40}$/u)
  expect((await stat(join(place, 'blobs', await blobOf(place, 'config.json')))).mode & 0o777).toBe(0o444)
  // The two equal files are one blob, and an empty one is not asked for.
  expect(downloads()).toHaveLength(2)
  expect(lines).toContain('fetching the model meta/llama: 4 files, 0.0 GB')
  expect(hub.leaked).toEqual([])
  // A new scaler finds it on the host, also without the hub.
  hub.models.clear()
  await modelsWith().ensure(driver, userOf([model]), waiter())
})

test('a model counts as known on a host while it is fetched, afterwards, and for the next scaler', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  const models = modelsWith()
  expect(models.isKnown(driver, model, 'owner')).toBe(false)
  const ensured = models.ensure(driver, userOf([model]), waiter())
  expect(models.isKnown(driver, model, 'owner')).toBe(true)
  await ensured
  models.forget(driver)
  await expect.poll(() => models.isKnown(driver, model, 'owner')).toBe(true)
  const next = modelsWith()
  expect(next.isKnown(driver, model, 'owner')).toBe(false)
  await expect.poll(() => next.isKnown(driver, model, 'owner')).toBe(true)
})

const blobOf = async (place: string, name: string): Promise<string> =>
  (await readlink(join(place, 'snapshots', COMMIT, name))).split('/').at(-1) ?? ''

test('a broken connection is resumed where it broke', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  const file = (await client().files(model, anonymous)).find(({ path }) => path === 'onnx/model.bin')
  if (file === undefined) throw new Error('the file is not listed')
  hub.cuts.push(100_000, 50_000)
  const chunks: Uint8Array[] = []
  for await (const chunk of client().read(model, file, anonymous)) chunks.push(chunk)
  expect(Buffer.concat(chunks)).toEqual(WEIGHTS)
  expect(downloads()).toHaveLength(3)
})

test('files that are whole stay for the next try', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  const models = modelsWith()
  // The first file comes whole; the second never begins.
  hub.cuts.push(7, 0, 0, 0, 0, 0)
  await expect(models.ensure(driver, userOf([model]), waiter())).rejects.toThrow(/does not answer/u)
  hub.requests.length = 0
  await models.ensure(driver, userOf([model]), waiter())
  expect(downloads()).toHaveLength(1)
  expect((await driver.models?.())?.map(({ bytes }) => bytes)).toEqual([300_007])
})

test('wrong bytes never make a file', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  hub.isCorrupt = true
  await expect(modelsWith().ensure(driver, userOf([model]), waiter())).rejects.toThrow(/arrived with a wrong hash/u)
  const [part = ''] = await readdir(join(directory, 'models'))
  expect(await readdir(join(directory, 'models', part, 'blobs'))).toEqual([])
})

test('a gated model is kept for each owner, with a token of their own', async () => {
  hub.models.set('meta/gated', { commit: COMMIT, files: FILES, lfs: ['onnx/model.bin'], gatedBy: 'hf_1' })
  const gated = { repo: 'meta/gated', ref: 'main' }
  await expect(client().resolve(gated, anonymous)).rejects.toThrow(/^The model "meta\/gated" of .* is gated: give the endpoint HF_TOKEN/u)
  await expect(client().resolve(gated, { token: 'hf_2' })).rejects.toThrow(/is gated/u)
  const model = await client().resolve(gated, { token: 'hf_1' })
  const models = modelsWith()
  await models.ensure(driver, userOf([model], { env: { HF_TOKEN: 'hf_1' } }), waiter())
  await expect(models.ensure(driver, userOf([model], { ownerId: 'other' }), waiter())).rejects.toThrow(/is gated/u)
  expect(hub.leaked).toEqual([])
})

test.each([
  ['meta/none', 'main', /^The model "meta\/none" is unknown at .*, or private: then give the endpoint HF_TOKEN/u],
  ['meta/llama', 'v9', /^The model "meta\/llama" of .* has no revision "v9"\.$/u],
])('%s:%s is refused by one sentence', async (repo, ref, sentence) => {
  await expect(client().resolve({ repo, ref }, anonymous)).rejects.toThrow(sentence)
})

test('a hub that does not answer is named', async () => {
  await using gone = await openFakeHub()
  await gone[Symbol.asyncDispose]()
  await expect(createHub(gone.url).resolve({ repo: 'a/b', ref: 'main' }, anonymous)).rejects.toThrow(/^The hub .* does not answer: /u)
})

test('a model that no endpoint asks for makes room for another one; one that is asked for stays, and the other is refused', async () => {
  hub.models.set('meta/old', { commit: COMMIT, files: { 'x.bin': WEIGHTS } })
  const old = await client().resolve({ repo: 'meta/old', ref: 'main' }, anonymous)
  const llama = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  await modelsWith().ensure(driver, userOf([old]), waiter())
  const small = modelsWith({ maxBytes: 400_000, endpoints: [userOf([old]), userOf([llama])] })
  await expect(small.ensure(driver, userOf([llama]), waiter())).rejects.toThrow(
    'The model "meta/llama" has 0.0 GB, and the models that endpoints ask for leave no room for it on the host here',
  )
  expect(await driver.models?.()).toHaveLength(1)
  await modelsWith({ maxBytes: 400_000, endpoints: [userOf([llama])] }).ensure(driver, userOf([llama]), waiter())
  expect((await driver.models?.())?.map(({ bytes }) => bytes)).toEqual([300_007])
})

test('a model that the disk has no room for is not begun', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  const full = { ...driver, diskSpace: async () => ({ path: '/var', freeBytes: 1000, totalBytes: 2000 }) }
  await expect(modelsWith().ensure(full, userOf([model]), waiter())).rejects.toThrow(
    'The model "meta/llama" has 0.0 GB and is not fetched: 0.0 GB are free on the disk of /var',
  )
  expect(await driver.models?.()).toEqual([])
})

test('the last waiter that leaves ends the fetch', async () => {
  const model = await client().resolve({ repo: 'meta/llama', ref: 'main' }, anonymous)
  const stop = new AbortController()
  const ensured = modelsWith().ensure(driver, userOf([model]), { onProgress: () => stop.abort(new Error('retired')), signal: stop.signal })
  await expect(ensured).rejects.toThrow('retired')
})
