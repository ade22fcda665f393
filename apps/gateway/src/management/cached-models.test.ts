// Models that endpoints and builds ask for (ADR 86): what a save keeps and shows, and what is refused before a build exists.
import { type ModelsConfig } from '@runyard/schema'
import { openFakeHub, type FakeHub } from '@runyard/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { openTestApp, type TestApp, type TestUser } from '../testing/management-app.ts'
import { it, redisUrl } from '../testing/management-test.ts'
import { registerManagement } from './index.ts'
import { createModelCache } from './model-cache.ts'

const SAVE = 'mutation($input: EndpointInput!) { saveEndpoint(input: $input) { id version modelReferences } }'
const [OLD, NEW] = ['a'.repeat(40), 'b'.repeat(40)]

let hub: FakeHub
let opened: TestApp
let user: TestUser
beforeAll(async () => {
  hub = await openFakeHub()
})
afterAll(() => hub[Symbol.asyncDispose]())
beforeEach(async () => {
  hub.models.clear()
  hub.models.set('meta/llama', { commit: OLD, refs: ['main', 'v1'], files: { 'config.json': '{}' } })
  hub.models.set('meta/gated', { commit: OLD, files: { 'config.json': '{}' }, gatedBy: 'hf_1' })
  opened = await openTestApp(redisUrl, (app, deps) => registerManagement(app, { ...deps, config: { ...deps.config, models: settings() } }))
  user = await opened.userOf('owner')
})
afterEach(() => opened[Symbol.asyncDispose]())

const settings = (change: Partial<ModelsConfig> = {}): ModelsConfig => ({ enabled: true, hubUrl: hub.url, maxBytes: 1e9, ...change })

const save = async (more: Record<string, unknown>): Promise<Record<string, unknown> | string> => {
  const template = { name: 't', imageName: 'x:1', containerDiskInGb: 10, dockerArgs: '', env: [] }
  const data = await user.graphql(SAVE, { input: { name: 'chat', gpuIds: 'ADA_24', template, volumes: [], ...more } })
  return typeof data === 'string' ? data : (data as { saveEndpoint: Record<string, unknown> }).saveEndpoint
}

const modelsOf = async (id: unknown) => (await opened.store.endpoints.get(String(id)))?.spec.models

it('a save keeps the commit of each model, a later one looks again, and one that drops them removes them', async () => {
  const made = await save({ modelReferences: ['meta/llama:v1'] })
  if (typeof made === 'string') throw new Error(made)
  expect(made).toMatchObject({ version: 1, modelReferences: ['meta/llama:v1'] })
  expect(await modelsOf(made['id'])).toEqual([{ repo: 'meta/llama', ref: 'v1', commit: OLD, sizeBytes: 2, needsToken: false }])
  expect(await save({ id: made['id'], modelReferences: ['meta/llama:v1'] })).toMatchObject({ version: 1 })
  hub.models.set('meta/llama', { commit: NEW, refs: ['main', 'v1'], files: { 'config.json': '{}' } })
  expect(await save({ id: made['id'], modelReferences: ['meta/llama:v1'] })).toMatchObject({ version: 2 })
  expect(await modelsOf(made['id'])).toMatchObject([{ commit: NEW }])
  expect(await save({ id: made['id'] })).toMatchObject({ version: 3, modelReferences: [] })
})

it('an endpoint keeps its commit while the hub is away, and no new one is made', async () => {
  const away = createModelCache(opened.store, settings({ hubUrl: 'http://127.0.0.1:9' }))
  const kept = [{ repo: 'meta/llama', ref: 'main', commit: OLD, sizeBytes: 2, needsToken: false }]
  expect(await away.resolve('owner', { references: ['meta/llama'], env: {}, kept })).toEqual(kept)
  await expect(away.resolve('owner', { references: ['meta/llama:v1'], env: {}, kept })).rejects.toThrow(/does not answer/u)
})

it('a gated model needs the endpoint’s HF_TOKEN, which may be a secret', async () => {
  expect(await save({ modelReferences: ['meta/gated'] })).toMatch(/^The model "meta\/gated" of .* is gated: give the endpoint HF_TOKEN/u)
  const request = { ownerId: 'owner', id: undefined, now: 1, randomText: () => 's1', sha256: (text: string) => text }
  const secret = { id: 's1', ownerId: 'owner', name: 'hf', value: 'hf_1', description: '', createdAt: 1, updatedAt: 1 }
  await opened.store.resources.secrets.save({ ...request, edit: () => secret })
  const env = [{ key: 'HF_TOKEN', value: '{{ RUNPOD_SECRET_hf }}' }]
  const template = { name: 't', imageName: 'x:1', containerDiskInGb: 10, dockerArgs: '', env }
  expect(await save({ modelReferences: ['meta/gated'], template })).toMatchObject({ modelReferences: ['meta/gated'] })
})

it.each([
  [['meta/none'], /^The model "meta\/none" is unknown/u],
  [['llama'], /^A model is written as "owner\/name"/u],
  [['meta/llama', 'meta/llama:v1'], /^The model "meta\/llama" is named twice/u],
])('an endpoint with %j is refused by one sentence', async (modelReferences, sentence) => {
  expect(await save({ modelReferences })).toMatch(sentence)
})

const manifest = (model: string, env: Record<string, string> = {}) => ({ app: 'a', resources: [{ name: 'chat', model, env }] })

it('a build is refused before it exists if a model cannot be had, with the name of the resource', async () => {
  const cache = createModelCache(opened.store, settings())
  await cache.check('owner', manifest('meta/llama'))
  await cache.check('owner', manifest('meta/gated', { HF_TOKEN: 'hf_1' }))
  await expect(cache.check('owner', manifest('meta/gated'))).rejects.toThrow(
    /^The resource "chat" asks for the model "meta\/gated"\. The model "meta\/gated" of .* is gated/u,
  )
})

it('where models are switched off, builds and endpoints that ask for one are refused, and others are not', async () => {
  const off = createModelCache(opened.store, settings({ enabled: false }))
  await expect(off.check('owner', manifest('meta/llama'))).rejects.toThrow(
    'The resource "chat" asks for the model "meta/llama": cached models are switched off here (models.enabled)',
  )
  await expect(off.resolve('owner', { references: ['meta/llama'], env: {}, kept: [] })).rejects.toThrow(/switched off here/u)
  await off.check('owner', { app: 'a', resources: [{ name: 'chat' }] })
  expect(await off.resolve('owner', { references: [], env: {}, kept: [] })).toEqual([])
})
