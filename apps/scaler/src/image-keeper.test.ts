import { Config, type HeldImage, type PulledImage } from '@runyard/schema'
import { createLogger } from '@runyard/kit'
import { staticSource } from '@runyard/testing'
import { afterEach, expect } from 'vitest'
import { openHostPool, type HostPool } from './host-pool.ts'
import { pruneHost, recordPulled } from './image-keeper.ts'
import { createFakeHost, endpointOf, fixture, test } from './testing/scaler-test.ts'

const DAY_MS = 24 * 3600 * 1000
const log = createLogger({ name: 'test', level: 'silent' })
let hosts: HostPool | undefined
afterEach(async () => {
  await hosts?.[Symbol.asyncDispose]()
})

const record = (name: string, usedAt: number): PulledImage => ({ name, imageId: `id-${name}`, pulledAt: 1, usedAt })
const held = (name: string, isUsed = false): HeldImage => ({ name, imageId: `id-${name}`, bytes: 1e9, isUsed })

async function openPool(images: readonly HeldImage[], freeBytes: number) {
  const removed: string[] = []
  const driver = {
    ...createFakeHost(),
    inventory: async () => ({
      cpuCount: 8,
      memoryBytes: 32e9,
      gpus: [],
      cudaVersion: null,
      disk: { path: '/images', freeBytes, totalBytes: 100e9 },
    }),
    heldImages: async (names: readonly string[]) => images.filter(({ name }) => names.includes(name)),
    removeImage: async (name: string) => removed.push(name) > 0,
  }
  const config = Config.parse({ images: { keepUnusedDays: 1, keepFreeBytes: 10e9 } })
  hosts = await openHostPool({ source: staticSource([driver]), config, log }, () => undefined)
  const [host] = hosts.list()
  if (host === undefined) throw new Error('the pool is empty')
  const deps = { store: fixture.store, hosts, config, log, images: { takePulled: () => [], forget: () => undefined } }
  return { host, deps, removed }
}

test('an image that nothing has used for long is removed; one that an endpoint names stays and counts as used', async () => {
  const { host, deps, removed } = await openPool([held('old:1'), held('named:1'), held('mine:1')], 50e9)
  const now = Date.now()
  await fixture.store.hosts.putImages('local', [record('old:1', now - 2 * DAY_MS), record('named:1', now - 2 * DAY_MS)])
  await fixture.store.endpoints.upsert({ id: 'ep-one' }, () => endpointOf('ep-one', { spec: { image: 'named:1' } }))
  await pruneHost(deps, host, { now, isDue: true })
  expect(removed).toEqual(['old:1'])
  expect(await fixture.store.hosts.pulledImages('local')).toEqual([record('named:1', now)])
})

test('while the disk is nearly full, unused images go at once, the least recently used first', async () => {
  const { host, deps, removed } = await openPool([held('a:1'), held('b:1', true), held('c:1')], 9.5e9)
  const now = Date.now()
  await fixture.store.hosts.putImages('local', [record('a:1', now - 5), record('b:1', now - 500), record('c:1', now - 50)])
  await pruneHost(deps, host, { now, isDue: false })
  expect(removed).toEqual(['c:1'])
})

test('between its looks a host with room is left alone', async () => {
  const { host, deps, removed } = await openPool([held('a:1')], 50e9)
  await fixture.store.hosts.putImages('local', [record('a:1', 1)])
  await pruneHost(deps, host, { now: Date.now(), isDue: false })
  expect(removed).toEqual([])
})

test('what was pulled is on record, each name once', async () => {
  await fixture.store.hosts.putImages('local', [record('a:1', 1), record('b:1', 1)])
  const pulled = [{ hostId: 'local', name: 'a:1', imageId: 'newer', at: 7 }]
  await recordPulled({ store: fixture.store, images: { takePulled: () => pulled } })
  expect(await fixture.store.hosts.pulledImages('local')).toEqual([
    record('b:1', 1),
    { name: 'a:1', imageId: 'newer', pulledAt: 7, usedAt: 7 },
  ])
})
