import { RunyardError, type PullOptions } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import { startRedis } from '@runyard/testing'
import { expect, test, vi } from 'vitest'
import { createImages, type ImageUser } from './images.ts'
import { createFakeHost } from './testing/scaler-fixture.ts'

const WAIT = { timeout: 30_000 }
const never = new AbortController().signal

/** No image came with credentials. */
function everybodys(): Store['privateImages'] {
  return { mayUse: async () => true, allow: async () => undefined, allowEverybody: async () => undefined }
}

/** A host whose pull ends when the test says so. */
function slowHost() {
  const pull = Promise.withResolvers<undefined>()
  const pulls: string[] = []
  let report: (line: string) => void = () => undefined
  const host = {
    ...createFakeHost(),
    hasImage: async () => false,
    imageId: async () => undefined,
    async pullImage(image: string, { onProgress, signal }: PullOptions) {
      pulls.push(image)
      report = onProgress
      signal.addEventListener('abort', () => pull.reject(new Error('broken off')), { once: true })
      await pull.promise
    },
  }
  return { host, pulls, finish: () => pull.resolve(undefined), say: (line: string) => report(line) }
}

test('workers that want the same image share one pull and each hear of its progress', async () => {
  const { host, pulls, finish, say } = slowHost()
  const pulled: unknown[] = []
  const images = createImages(everybodys(), { onPulled: (_, bytes) => pulled.push(bytes) })
  const heard: string[] = []
  const wait = (name: string) => images.ensure(host, 'big:1', { onProgress: (line) => heard.push(`${name} ${line}`), signal: never })
  const both = Promise.all([wait('one'), wait('two')])
  await vi.waitFor(() => expect(pulls).toEqual(['big:1']), WAIT)
  await vi.waitFor(() => {
    heard.length = 0
    say('50 %')
    expect(heard).toEqual(['one 50 %', 'two 50 %'])
  }, WAIT)
  say('4f4fb700ef54 Downloading [==> ]  1MB/30MB')
  say('4f4fb700ef54 Pull complete')
  say('0123456789ab Already exists')
  finish()
  await both
  expect(pulled).toEqual([30e6])
  await images.ensure(host, 'big:1', { onProgress: () => undefined, signal: never })
  expect(pulls).toEqual(['big:1'])
})

test('a pull without waiters is aborted, and the next one starts from the beginning', async () => {
  const { host, pulls } = slowHost()
  const images = createImages(everybodys())
  const stop = new AbortController()
  const waiting = images.ensure(host, 'big:1', { onProgress: () => undefined, signal: stop.signal })
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  stop.abort(new Error('not wanted'))
  await expect(waiting).rejects.toThrow('not wanted')
  await expect(images.ensure(host, 'big:1', { onProgress: () => undefined, signal: never })).rejects.toThrow('broken off')
})

test('an image that cannot be had fails with the host’s sentence', async () => {
  const host = createFakeHost()
  host.problem.image = new RunyardError('not_found', 'no such image')
  await expect(createImages(everybodys()).ensure(host, 'x', { onProgress: () => undefined, signal: never })).rejects.toThrow(
    'no such image',
  )
})

test('who has credentials does not wait for the pull of one who has none', async () => {
  const { host, pulls, finish } = slowHost()
  const images = createImages(everybodys())
  const wait = (credentials?: PullOptions['credentials']) =>
    images.ensure(host, 'big:1', { credentials, onProgress: () => undefined, signal: never })
  const all = Promise.all([
    wait(),
    wait({ name: 'mine', username: 'me', password: 'a' }),
    wait({ name: 'mine', username: 'me', password: 'b' }),
  ])
  await vi.waitFor(() => expect(pulls).toHaveLength(3), WAIT)
  finish()
  await all
})

test('an image that came with credentials is for those whose credentials its registry accepts, on every host', async () => {
  await using redis = await startRedis()
  await using store = await openStore({ redisUrl: redis.url, leaseMs: 30_000, retention: { asyncMs: 60_000, syncMs: 30_000 } })
  const pulls: (string | undefined)[] = []
  const host = {
    ...createFakeHost(),
    hasImage: async () => pulls.length > 0,
    imageId: async () => 'sha256:mine',
    async pullImage(_image: string, { credentials }: PullOptions) {
      pulls.push(credentials?.password)
      if (credentials?.password !== 'right') throw new RunyardError('forbidden', 'asks for credentials')
    },
  }
  const start = (user: ImageUser | undefined, password?: string) => {
    const credentials = password === undefined ? undefined : { name: 'mine', username: 'me', password }
    // Another scaler, which remembers nothing but what is in Redis.
    return createImages(store.privateImages).ensure(host, 'private:1', { credentials, user, onProgress: () => undefined, signal: never })
  }
  const owner = { ownerId: 'owner', registryId: 'r1' }
  await start(owner, 'right')
  await start(owner, 'right')
  expect(pulls).toEqual(['right'])
  await expect(start({ ownerId: 'other', registryId: null })).rejects.toThrow('asks for credentials')
  await expect(start({ ownerId: 'other', registryId: 'r1' }, 'wrong')).rejects.toThrow('asks for credentials')
  await expect(start({ ownerId: 'owner', registryId: null })).rejects.toThrow('asks for credentials')
  await start({ ownerId: 'other', registryId: 'r2' }, 'right')
  await start({ ownerId: 'other', registryId: 'r2' }, 'right')
  expect(pulls).toEqual(['right', undefined, 'wrong', undefined, 'right'])
  await start(undefined)
  expect(pulls).toHaveLength(5)
})

test('an image that its registry gives to everybody is everybody’s again', async () => {
  await using redis = await startRedis()
  await using store = await openStore({ redisUrl: redis.url, leaseMs: 30_000, retention: { asyncMs: 60_000, syncMs: 30_000 } })
  const pulls: string[] = []
  const host = {
    ...createFakeHost(),
    hasImage: async () => true,
    imageId: async () => 'sha256:public',
    async pullImage(image: string) {
      pulls.push(image)
    },
  }
  await store.privateImages.allow('sha256:public', { ownerId: 'owner', registryId: 'r1' })
  for (const ownerId of ['other', 'third']) {
    await createImages(store.privateImages).ensure(host, 'x', {
      user: { ownerId, registryId: null },
      onProgress: () => undefined,
      signal: never,
    })
  }
  expect(pulls).toEqual(['x'])
})

test('an image that is on a host already is known without a start there, until a start fails', async () => {
  const asked: string[] = []
  let there = true
  const host = {
    ...createFakeHost(),
    async hasImage(image: string) {
      asked.push(image)
      return there
    },
  }
  const images = createImages(everybodys())
  expect(images.isKnown(host, 'big:1')).toBe(false)
  await vi.waitFor(() => expect(images.isKnown(host, 'big:1')).toBe(true), WAIT)
  there = false
  images.forget(host, 'big:1')
  expect(images.isKnown(host, 'big:1')).toBe(false)
  await vi.waitFor(() => expect(asked).toHaveLength(2), WAIT)
  expect(images.isKnown(host, 'big:1')).toBe(false)
  expect(asked).toHaveLength(2)
})

const space = (freeBytes: number) => ({ path: '/images', freeBytes, totalBytes: 100e9 })

test('a host whose disk is nearly full pulls nothing, and says so', async () => {
  const { host, pulls } = slowHost()
  const full = { ...host, diskSpace: async () => space(1e9) }
  const images = createImages(everybodys(), { keepFreeBytes: 2e9 })
  await expect(images.ensure(full, 'big:1', { onProgress: () => undefined, signal: never })).rejects.toMatchObject({
    fault: 'disk',
    message: expect.stringMatching(/^The image big:1 is not pulled, because 1\.0 GB of 100\.0 GB are free on the disk of \/images/),
  })
  expect(pulls).toEqual([])
})

test('a pull stops when the disk gets too full in the meantime', async () => {
  const { host, pulls } = slowHost()
  let freeBytes = 50e9
  const filling = { ...host, diskSpace: async () => space(freeBytes) }
  const images = createImages(everybodys(), { keepFreeBytes: 2e9, lookEveryMs: 5 })
  const pulled = images.ensure(filling, 'big:1', { onProgress: () => undefined, signal: never })
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  freeBytes = 1e9
  await expect(pulled).rejects.toThrow('is not pulled to its end, because 1.0 GB')
})
