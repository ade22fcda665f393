// Pulls before the first job, with a host in memory whose pulls end when the test says so.
import { RunyardError, type HostDriver, type PullOptions } from '@runyard/schema'
import { expect, vi } from 'vitest'
import { createFakeHost, endpointOf, fixture, test } from './testing/scaler-test.ts'

const WAIT = { timeout: 30_000 }

interface Pull extends PullOptions {
  readonly image: string
  readonly end: PromiseWithResolvers<undefined>
}

/** A Docker host without images. */
function registryHost() {
  const pulls: Pull[] = []
  const have = new Set<string>()
  const fake = createFakeHost()
  const driver: HostDriver = {
    ...fake,
    kind: 'docker',
    capabilities: { ...fake.capabilities, runsImages: true },
    hasImage: async (image) => have.has(image),
    async pullImage(image, options) {
      const end = Promise.withResolvers<undefined>()
      options.signal.addEventListener('abort', () => end.reject(new Error('broken off')), { once: true })
      pulls.push({ ...options, image, end })
      await end.promise
      have.add(image)
    },
  }
  return { driver, pulls, have, launches: fake.launches }
}

const save = (id: string, image: string, more: Parameters<typeof endpointOf>[1] = {}) => {
  const record = { ...endpointOf(id, { ...more, spec: { image, ...more.spec } }), name: id }
  return fixture.store.endpoints.upsert({ id }, () => record)
}
const statusOf = (id: string) => fixture.store.status.get(id)
const kindsOf = async (id: string) => (await fixture.store.events.list(id, 100)).map(({ kind }) => kind)

test('saving an endpoint pulls its image, shows how far the pull is, and no worker starts', async () => {
  const { driver, pulls, launches } = registryHost()
  const scaler = await fixture.open({ driver })
  await save('ep-one', 'big:1')
  await vi.waitFor(() => expect(pulls.map(({ image }) => image)).toEqual(['big:1']), WAIT)
  pulls[0]?.onProgress('4f4fb700ef54 Downloading [=>  ]  12MB/30MB')
  await scaler.loop.tick()
  const pull = { image: 'big:1', host: 'local', state: 'pulling', message: '0 of 1 layers, 12 of 30 MB' }
  expect(await statusOf('ep-one')).toMatchObject({ reason: undefined, pulls: [pull] })
  pulls[0]?.end.resolve(undefined)
  await vi.waitFor(async () => expect(await kindsOf('ep-one')).toEqual(['image_pulled']), WAIT)
  await vi.waitFor(async () => expect((await statusOf('ep-one'))?.pulls).toBeUndefined(), WAIT)
  expect(launches).toEqual([])
})

test('a host pulls at most so many images at once, and each image once for all endpoints', async () => {
  const { driver, pulls } = registryHost()
  await save('ep-one', 'a:1')
  await save('ep-two', 'b:1')
  await save('ep-three', 'b:1')
  await fixture.open({ driver, config: { images: { pullsAtOnce: 1 } } })
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  pulls[0]?.end.resolve(undefined)
  await vi.waitFor(() => expect(pulls).toHaveLength(2), WAIT)
  pulls[1]?.end.resolve(undefined)
  await vi.waitFor(async () => {
    for (const id of ['ep-one', 'ep-two', 'ep-three']) expect((await statusOf(id))?.pulls).toBeUndefined()
  }, WAIT)
  expect(pulls.map(({ image }) => image).toSorted()).toEqual(['a:1', 'b:1'])
})

test('a pull that fails is shown, is tried again after a pause, and at once when the endpoint is saved', async () => {
  const { driver, pulls } = registryHost()
  const scaler = await fixture.open({ driver })
  await save('ep-one', 'typo:1')
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  pulls[0]?.end.reject(new RunyardError('not_found', 'The image typo:1 is not there.', { fault: 'image' }))
  await vi.waitFor(
    async () =>
      expect(await statusOf('ep-one')).toMatchObject({
        throttled: 0,
        unhealthy: 0,
        reason: 'image_missing',
        message: 'host local: The image typo:1 is not there.',
        nextTryAt: expect.any(Number),
        pulls: [{ state: 'failed' }],
      }),
    WAIT,
  )
  expect(await kindsOf('ep-one')).toContain('image_pull_failed')
  await scaler.loop.tick()
  expect(pulls).toHaveLength(1)
  await save('ep-one', 'typo:1')
  await vi.waitFor(() => expect(pulls).toHaveLength(2), WAIT)
})

test('a start joins a pull that is under way', async () => {
  const { driver, pulls, launches } = registryHost()
  await fixture.open({ driver })
  await save('ep-one', 'big:1', { settings: { workersMin: 0 } })
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  await fixture.store.endpoints.upsert({ id: 'ep-one' }, (current) => {
    if (current === undefined) throw new Error('it is gone')
    return { ...current, settings: { ...current.settings, workersMin: 1 } }
  })
  await vi.waitFor(async () => expect(await fixture.store.workers.list('ep-one')).toHaveLength(1), WAIT)
  pulls[0]?.end.resolve(undefined)
  await vi.waitFor(() => expect(launches).toHaveLength(1), WAIT)
  expect(pulls).toHaveLength(1)
})

test('the pull of a deleted endpoint is stopped', async () => {
  const { driver, pulls } = registryHost()
  await fixture.open({ driver })
  await save('ep-one', 'big:1')
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  await fixture.store.endpoints.delete('ep-one')
  await vi.waitFor(() => expect(pulls[0]?.signal.aborted).toBe(true), WAIT)
})

test('what is on the host already is not pulled', async () => {
  const { driver, pulls, have } = registryHost()
  have.add('big:1')
  const scaler = await fixture.open({ driver })
  await save('ep-one', 'big:1')
  await vi.waitFor(async () => expect(await statusOf('ep-one')).toMatchObject({ throttled: 0 }), WAIT)
  await scaler.loop.tick()
  await scaler.loop.tick()
  expect(pulls).toEqual([])
})

test('an image is said to be pulled once the host has answered that it does not have it', async () => {
  const { driver, pulls } = registryHost()
  const answer = Promise.withResolvers<boolean>()
  const scaler = await fixture.open({ driver: { ...driver, hasImage: () => answer.promise } })
  await save('ep-one', 'big:1')
  await vi.waitFor(async () => expect(await statusOf('ep-one')).toBeDefined(), WAIT)
  expect((await statusOf('ep-one'))?.pulls).toBeUndefined()
  answer.resolve(false)
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  await scaler.loop.tick()
  expect((await statusOf('ep-one'))?.pulls).toMatchObject([{ state: 'pulling' }])
})
