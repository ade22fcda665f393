// Each row of the table of resource kinds, with the same tests: a new kind needs a sample here, and nothing else.
import { RESOURCE_KINDS, type ResourceKind, type ResourceRecord } from '@runyard/core'
import {
  RECORD_LIMITS,
  type App,
  type Build,
  type Endpoint,
  type Environment,
  type StoredRegistry,
  type StoredSecret,
  type Template,
} from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import { endpoint, template } from '../testing/endpoint-fixture.ts'
import { saveRegistry, saveTemplate, SAVE } from '../testing/resource-fixture.ts'
import { useStores } from '../testing/test-store.ts'
import type { Store } from '../testing/value-store.ts'
import type { ResourceStore } from './resources.ts'

const stores = useStores()
const GPU: Endpoint['spec']['gpu'] = { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] }

interface Sample {
  record(id: string): ResourceRecord
  /** What makes an endpoint a user of it; absent: nothing does. */
  use?(id: string): Omit<Partial<Endpoint>, 'spec'> & { readonly spec?: Partial<Endpoint['spec']> }
  /** A change that its users have to follow. */
  readonly change: object
  /** Members that only `find` returns. */
  readonly secrets: readonly string[]
  /** What has to exist beside it, for each owner. */
  readonly beside?: Readonly<Record<string, (ownerId: string) => object>>
}

const APP: App = { id: 'app-1', name: 'app', ownerId: 'owner', createdAt: 1 }
const APPS_BESIDE = { apps: (ownerId: string) => ({ ...APP, ownerId }) }
const ENVIRONMENT: Omit<Environment, 'id' | 'name'> = { ownerId: 'owner', appId: 'app-1', activeBuildId: null, createdAt: 1 }
const BUILD: Omit<Build, 'id'> = {
  ownerId: 'owner',
  appId: 'app-1',
  artifactId: 'artifact-1',
  objectKey: 'key',
  kind: 'flash',
  pythonVersion: '3.12',
  sizeBytes: 1,
  sha256: 'f'.repeat(64),
  createdAt: 1,
}

const registry = (id: string): StoredRegistry => ({
  id,
  name: `name of ${id}`,
  ownerId: 'owner',
  createdAt: 1,
  updatedAt: 1,
  username: 'me',
  password: 'sesame',
})

const secret = (id: string): StoredSecret => ({
  id,
  name: `name-of-${id}`,
  ownerId: 'owner',
  description: '',
  createdAt: 1,
  updatedAt: 1,
  value: 'sesame',
})

const SAMPLES: { readonly [N in keyof typeof RESOURCE_KINDS]: Sample } = {
  templates: {
    record: (id) => template(id),
    use: (sharedTemplateId) => ({ sharedTemplateId }),
    change: { container: template('t', 'other').container },
    secrets: [],
  },
  volumes: {
    record: (id) => ({ id, name: `name of ${id}`, ownerId: 'owner', kind: 'STANDARD', sizeGb: 10, dataCenterId: 'EU-RO-1', createdAt: 1 }),
    use: (id) => ({ spec: { networkVolumeIds: [id] } }),
    change: { sizeGb: 20 },
    secrets: [],
  },
  registries: {
    record: registry,
    use: (registryId) => ({ spec: { registryId } }),
    change: { password: 'other' },
    secrets: ['username', 'password'],
  },
  apps: { record: (id) => ({ ...APP, id, name: `name of ${id}` }), change: { createdAt: 2 }, secrets: [] },
  environments: {
    record: (id) => ({ ...ENVIRONMENT, id, name: `name of ${id}` }),
    use: (flashEnvironmentId) => ({ flashEnvironmentId }),
    change: { createdAt: 2 },
    secrets: [],
    beside: APPS_BESIDE,
  },
  builds: {
    record: (id) => ({ ...BUILD, id }),
    change: { createdAt: 2 },
    secrets: [],
    beside: APPS_BESIDE,
  },
  accounts: {
    record: (id) => ({ ...APP, id, name: `name of ${id}`, publicKeys: ['ssh-ed25519 AAAA me'] }),
    change: { createdAt: 2 },
    secrets: [],
  },
  secrets: {
    record: secret,
    change: { value: 'other' },
    secrets: ['value'],
  },
}

type Any = ResourceStore<ResourceRecord, ResourceRecord>
const NAMES = Object.keys(RESOURCE_KINDS) as readonly (keyof typeof RESOURCE_KINDS)[]

async function openStore(sample: Sample): Promise<Store> {
  const store = await stores.open()
  await stores.raw().hset(`${stores.prefix()}:{@}:artifacts`, 'artifact-1', '{}')
  for (const [kind, record] of Object.entries(sample.beside ?? {})) {
    const fields = ['owner', 'other'].flatMap((ownerId) => [JSON.stringify([ownerId, 'app-1']), JSON.stringify(record(ownerId))])
    await stores.raw().hset(`${stores.prefix()}:{@}:${kind}`, ...fields)
  }
  return store
}

describe.each(NAMES)('%s', (name) => {
  const kind: ResourceKind = RESOURCE_KINDS[name]
  const sample = SAMPLES[name]
  /** A kind that no endpoint uses has no tests of its use. */
  const used = sample.use === undefined ? [] : [name]
  const of = (store: Store): Any => store.resources[name]
  const create = (store: Store, record: ResourceRecord) =>
    of(store).save({ ...SAVE, ownerId: record.ownerId, id: undefined, edit: () => record })
  const change = (store: Store, id: string, members: object) =>
    of(store).save({ ...SAVE, ownerId: 'owner', id, edit: (current) => ({ ...sample.record(id), ...current, ...members }) })
  const user = (id: string, resourceId: string): Endpoint => {
    const { spec, ...members } = sample.use?.(resourceId) ?? {}
    return endpoint(id, { ...members, spec: { gpu: GPU, image: 'image', ...spec } })
  }

  test('are created, read, listed and removed, without their secrets', async () => {
    const store = await openStore(sample)
    const shown = Object.fromEntries(Object.entries(sample.record('r1')).filter(([member]) => !sample.secrets.includes(member)))
    expect(await create(store, sample.record('r1'))).toEqual(shown)
    expect(await of(store).get('owner', 'r1')).toEqual(shown)
    expect(await of(store).list('owner')).toEqual([shown])
    expect(await of(store).find('owner', 'r1')).toEqual(sample.record('r1'))
    await of(store).remove('owner', { id: 'r1' })
    expect(await of(store).list()).toEqual([])
    await expect(of(store).remove('owner', { id: 'r1' })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('are their owner’s alone', async () => {
    const store = await openStore(sample)
    await create(store, { ...sample.record('r1'), ownerId: 'other' })
    expect(await of(store).find('owner', 'r1')).toBeUndefined()
    await expect(of(store).get('owner', 'r1')).rejects.toMatchObject({ code: 'not_found' })
    await expect(change(store, 'r1', {})).rejects.toMatchObject({ code: 'not_found' })
    await expect(of(store).remove('owner', { id: 'r1' })).rejects.toMatchObject({ code: 'not_found' })
    expect(await of(store).list('owner')).toEqual([])
    expect(await of(store).list('other')).toHaveLength(1)
  })

  test.each(name === 'builds' ? [] : [name])('have one name each, however many clients create it at once', async () => {
    const [one, two] = [await openStore(sample), await openStore(sample)]
    const makes = Array.from({ length: 6 }, (_, n) =>
      create(n % 2 === 0 ? one : two, { ...sample.record(`r${n}`), ...(n === 0 ? {} : sample.change), name: 'n' }),
    )
    await Promise.allSettled(makes)
    expect(await of(one).list()).toHaveLength(1)
    await create(one, sample.record('second'))
    await expect(change(one, 'second', { name: 'n' })).rejects.toMatchObject({ code: 'conflict' })
  })

  test('are as many as an owner may have', async () => {
    const store = await openStore(sample)
    const many = Array.from({ length: RECORD_LIMITS.perOwner }, (_, n) => sample.record(`r${n}`))
    const fields = many.flatMap((record) => [kind.field('owner', record.id), JSON.stringify(record)])
    await stores.raw().hset(`${stores.prefix()}:{@}:${name}`, ...fields)
    await expect(create(store, sample.record('more'))).rejects.toMatchObject({ code: 'unprocessable' })
    await change(store, 'r1', sample.change)
    expect(await create(store, { ...sample.record('theirs'), ownerId: 'other' })).toMatchObject({ id: 'theirs' })
  })

  test.each(used)('stay while an endpoint uses them, and the scaler hears of their changes', async () => {
    const store = await openStore(sample)
    await create(store, sample.record('r1'))
    await store.endpoints.upsert({ id: 'ep-1' }, () => user('ep-1', 'r1'))
    await expect(of(store).remove('owner', { id: 'r1' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('the endpoint "name of ep-1"'),
    })
    const heard = stores.listen(store)
    await change(store, 'r1', sample.change)
    expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
    await store.endpoints.delete('ep-1')
    await of(store).remove('owner', { id: 'r1' })
  })

  test.each(used)('cannot be named by an endpoint where they do not exist; one that named them earlier can still change', async () => {
    const store = await openStore(sample)
    const save = () =>
      store.endpoints.upsert({ id: 'ep-1' }, (current) => ({ ...user('ep-1', 'r1'), version: (current?.version ?? 0) + 1 }))
    await expect(save()).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await store.endpoints.list()).toEqual([])
    await create(store, sample.record('r1'))
    await save()
    await stores.raw().del(`${stores.prefix()}:{@}:${name}`)
    expect(await save()).toMatchObject({ version: 2 })
  })

  test.each(used)('are never removed in the moment in which an endpoint starts to use them', async () => {
    const [one, two] = [await openStore(sample), await openStore(sample)]
    const outcomes = new Set<string>()
    for (let round = 0; round < 10; round += 1) {
      const id = `r${round}`
      await create(one, sample.record(id))
      const remove = of(two).remove('owner', { id })
      const make = one.endpoints.upsert({ id: `ep-${round}` }, () => user(`ep-${round}`, id))
      const [removed, made] = await Promise.allSettled([remove, make])
      outcomes.add(`${removed.status} ${made.status}`)
      expect((await of(one).find('owner', id)) === undefined).toBe(removed.status === 'fulfilled')
    }
    expect([...outcomes].filter((outcome) => outcome === 'fulfilled fulfilled' || outcome === 'rejected rejected')).toEqual([])
  })
})

test('a template loses its reference to credentials that are deleted, and can name no unknown ones', async () => {
  const store = await stores.open()
  const naming = (registryId: string): Template => ({ ...template('t1'), container: { ...template('t1').container, registryId } })
  await expect(saveTemplate(store, naming('r1'))).rejects.toMatchObject({ code: 'unprocessable' })
  await saveRegistry(store, registry('r1'))
  await saveTemplate(store, naming('r1'))
  await store.resources.registries.remove('owner', { id: 'r1' })
  expect(await store.resources.templates.get('owner', 't1')).toMatchObject({ container: { registryId: null } })
})

test('an endpoint never stays behind its template, whichever of them is written first', async () => {
  const [one, two] = [await stores.open(), await stores.open()]
  await saveTemplate(one, template('t1', 'image-0'))
  const withImage = (id: string, image = 'none') => endpoint(id, { sharedTemplateId: 't1', spec: { gpu: GPU, image } })
  const make = (id: string) => one.endpoints.upsert({ id }, (_, found) => withImage(id, found?.container.image), { templateId: 't1' })
  const numbers = Array.from({ length: 20 }, (_, n) => n)
  await Promise.all(numbers.flatMap((n) => [make(`ep-${n}`), saveTemplate(two, template('t1', `image-${n}`))]))
  const { container } = await one.resources.templates.get('owner', 't1')
  expect((await one.endpoints.list()).map(({ spec }) => spec.image)).toEqual(numbers.map(() => container.image))
})

test('the scaler hears of each change of a secret that an endpoint names, also of one that does not exist yet', async () => {
  const store = await stores.open()
  const env = { TOKEN: 'Bearer {{ RUNPOD_SECRET_name-of-s1 }}' }
  await store.endpoints.upsert({ id: 'ep-1' }, () => endpoint('ep-1', { spec: { gpu: GPU, image: 'image', env } }))
  await store.endpoints.upsert({ id: 'ep-2' }, () => endpoint('ep-2', { spec: { gpu: GPU, image: 'image', env: {} } }))
  const heard = stores.listen(store)
  await store.resources.secrets.save({ ...SAVE, ownerId: 'owner', id: undefined, edit: () => secret('s1') })
  expect(heard).toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-1' })
  expect(heard).not.toContainEqual({ kind: 'endpoint-changed', endpointId: 'ep-2' })
  await store.resources.secrets.remove('owner', { id: 's1' })
  expect(await store.resources.secrets.list('owner')).toEqual([])
})
