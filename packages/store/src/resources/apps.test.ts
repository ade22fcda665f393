// Apps with what belongs to them: environments, builds, manifests, artifacts, endpoints (ADR 63).
import { activateBuild, unneededBuilds } from '@runyard/core'
import type { App, Build, Environment } from '@runyard/schema'
import { createMemoryBlobs } from '@runyard/testing'
import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { SAVE } from '../testing/resource-fixture.ts'
import { useStores, type Store } from '../testing/test-store.ts'

const stores = useStores()
const DAY_MS = 24 * 60 * 60 * 1000
const LATER = () => Date.now() + 3 * DAY_MS

const APP: App = { id: 'app-1', name: 'shop', ownerId: 'owner', createdAt: 1 }

async function open(): Promise<Store> {
  const store = await stores.open({ blobs: { store: createMemoryBlobs(), thresholdBytes: 2000 } })
  await store.resources.apps.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => APP })
  return store
}

async function upload(store: Store): Promise<string> {
  async function* bytes() {
    yield new Uint8Array(10)
  }
  return (await store.artifacts.write(bytes(), { maxBytes: 100 })).id
}

async function addBuild(store: Store, id: string, change: Partial<Build> = {}): Promise<Build> {
  const artifactId = change.artifactId ?? (await upload(store))
  const build: Build = {
    id,
    ownerId: 'owner',
    appId: APP.id,
    objectKey: `key of ${id}`,
    kind: 'flash',
    pythonVersion: '3.12',
    sizeBytes: 10,
    sha256: 'f'.repeat(64),
    createdAt: 1,
    ...change,
    artifactId,
  }
  const manifest = JSON.stringify({ version: '1.0', of: id })
  return store.resources.builds.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => build, manifest })
}

async function addEnvironment(store: Store, id = 'env-1', change: Partial<Environment> = {}): Promise<Environment> {
  const record: Environment = { id, ownerId: 'owner', appId: APP.id, name: id, activeBuildId: null, createdAt: 1, ...change }
  return store.resources.environments.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => record })
}

async function activate(store: Store, environmentId: string, build: Build): Promise<Environment> {
  const edit = (current: Environment | undefined) => activateBuild(current ?? ({} as Environment), build, 2)
  return store.resources.environments.save({ ...SAVE, ownerId: 'owner', id: environmentId, edit })
}

const removeBuild = (store: Store, id: string) => store.resources.builds.remove('owner', { id })

describe('a build', () => {
  test('leads from an environment to its manifest and its artifact', async () => {
    const store = await open()
    await addEnvironment(store)
    await activate(store, 'env-1', await addBuild(store, 'build-1'))
    const { activeBuildId } = await store.resources.environments.get('owner', 'env-1')
    const build = await store.resources.builds.get('owner', activeBuildId ?? '')
    expect(await store.manifests.get(build.id)).toEqual({ version: '1.0', of: 'build-1' })
    await using reader = await store.artifacts.read(build.artifactId)
    expect(reader?.size).toBe(10)
  })

  test('keeps its artifact as long as it exists, and no longer', async () => {
    const store = await open()
    const { artifactId } = await addBuild(store, 'build-1')
    await store.artifacts.sweepBlobs(LATER())
    expect(await store.artifacts.get(artifactId)).toBeDefined()
    await removeBuild(store, 'build-1')
    expect(await store.manifests.get('build-1')).toBeUndefined()
    await store.artifacts.sweepBlobs(LATER())
    expect(await store.artifacts.get(artifactId)).toBeUndefined()
  })

  test('cannot be made of an artifact that is gone', async () => {
    const store = await open()
    await expect(addBuild(store, 'build-1', { artifactId: 'never' })).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await store.resources.builds.list('owner')).toEqual([])
    expect(await store.manifests.get('build-1')).toBeUndefined()
  })

  test('stays while it is active in an environment', async () => {
    const store = await open()
    await addEnvironment(store)
    await activate(store, 'env-1', await addBuild(store, 'build-1'))
    await expect(removeBuild(store, 'build-1')).rejects.toMatchObject({ code: 'conflict' })
    await activate(store, 'env-1', await addBuild(store, 'build-2'))
    await removeBuild(store, 'build-1')
  })

  test('of another app or another owner cannot become active', async () => {
    const store = await open()
    await store.resources.apps.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => ({ ...APP, id: 'app-2', name: 'other' }) })
    await addEnvironment(store)
    const foreign = await addBuild(store, 'build-1', { appId: 'app-2' })
    await expect(activate(store, 'env-1', foreign)).rejects.toMatchObject({ code: 'not_found' })
    const unknown = { ...foreign, id: 'nowhere', appId: APP.id }
    await expect(activate(store, 'env-1', unknown)).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await store.resources.environments.get('owner', 'env-1')).toMatchObject({ activeBuildId: null })
  })

  test('is not needed once it is neither active nor among the newest', () => {
    const builds = [1, 2, 3, 4].map((createdAt) => ({ id: `b${createdAt}`, createdAt }) as Build)
    const environments = [{ activeBuildId: 'b1' }] as Environment[]
    expect(unneededBuilds({ builds, environments, endpoints: [] }, 2).map(({ id }) => id)).toEqual(['b2'])
  })
})

describe('an environment', () => {
  test('has a name of its own within its app alone', async () => {
    const store = await open()
    await store.resources.apps.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => ({ ...APP, id: 'app-2', name: 'other' }) })
    await addEnvironment(store, 'env-1', { name: 'production' })
    await addEnvironment(store, 'env-2', { name: 'production', appId: 'app-2' })
    await expect(addEnvironment(store, 'env-3', { name: 'production' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(addEnvironment(store, 'env-4', { appId: 'nowhere' })).rejects.toMatchObject({ code: 'unprocessable' })
  })

  test('wakes the scaler for its endpoints, and changes none of them, when another build becomes active', async () => {
    const store = await open()
    await addEnvironment(store)
    const record = endpoint('ep-1', { flashEnvironmentId: 'env-1' })
    await store.endpoints.upsert({ id: 'ep-1' }, () => record)
    const heard = stores.listen(store)
    await activate(store, 'env-1', await addBuild(store, 'build-1'))
    expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
    expect(await store.endpoints.get('ep-1')).toEqual(record)
  })
})

describe('an app', () => {
  test('takes its environments, builds, manifests and artifacts with it', async () => {
    const store = await open()
    await addEnvironment(store)
    const build = await addBuild(store, 'build-1')
    await activate(store, 'env-1', build)
    await addBuild(store, 'build-2')
    await store.resources.apps.remove('owner', { id: APP.id })
    expect(await store.resources.environments.list()).toEqual([])
    expect(await store.resources.builds.list()).toEqual([])
    expect(await stores.raw().exists(`${stores.prefix()}:{@}:manifests`)).toBe(0)
    await store.artifacts.sweepBlobs(LATER())
    expect(await store.artifacts.get(build.artifactId)).toBeUndefined()
  })

  test('stays while an endpoint belongs to one of its environments', async () => {
    const store = await open()
    await addEnvironment(store)
    await store.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { flashEnvironmentId: 'env-1' }))
    await expect(store.resources.apps.remove('owner', { id: APP.id })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('the endpoint "name of ep-1"'),
    })
    expect(await store.resources.environments.list('owner')).toHaveLength(1)
  })
})
