import { createLogger } from '@runyard/kit'
import { RunyardError, type HostDriver, type HostSource, type PrepareOptions } from '@runyard/schema'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openHostPool, type HostPool } from './host-pool.ts'
import { createFakeHost } from './testing/scaler-fixture.ts'

const log = createLogger({ name: 'host-pool-test', level: 'silent' })
let drivers: readonly HostDriver[]
let listeners: Set<() => void>
let changes: number
let pool: HostPool

beforeEach(() => {
  listeners = new Set()
  changes = 0
})

afterEach(async () => {
  await pool[Symbol.asyncDispose]()
})

async function open(...first: readonly HostDriver[]): Promise<void> {
  drivers = first
  const source: HostSource = {
    list: () => drivers,
    configOf: () => undefined,
    subscribe(onChange) {
      listeners.add(onChange)
      return { [Symbol.dispose]: () => void listeners.delete(onChange) }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  pool = await openHostPool({ source, config: { gpuTypes: {} }, log }, () => (changes += 1))
}

function change(...now: readonly HostDriver[]): void {
  drivers = now
  for (const listener of listeners) listener()
}

const labels = () => pool.list().map(({ driver }) => driver.label)

test('hosts come and go while it runs, in the order of their source', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((label) => createFakeHost(label))
  if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts')
  await open(one, two)
  expect(labels()).toEqual(['one', 'two'])
  const watched = pool.list()[1]
  const before = changes
  change(three, two)
  await vi.waitUntil(() => labels().length === 2 && labels()[0] === 'three')
  expect(pool.list()[1]).toBe(watched)
  await vi.waitUntil(() => changes > before)
  await pool[Symbol.asyncDispose]()
  expect(listeners.size).toBe(0)
})

test('a host gets no workers before it is prepared, and says what is being done', async () => {
  const asked = Promise.withResolvers<PrepareOptions>()
  const done = Promise.withResolvers<{ words: string; planeAddress: undefined }>()
  const prepare: HostDriver['prepare'] = (options) => {
    asked.resolve(options)
    return done.promise
  }
  const opened = open({ ...createFakeHost('slow'), prepare })
  const { onProgress } = await asked.promise
  onProgress('pulling python')
  await opened
  const unready = () => pool.list()[0]?.view(Date.now()).unready
  expect(unready()).toBe('is being prepared (pulling python)')
  done.resolve({ words: 'ready', planeAddress: undefined })
  await vi.waitUntil(() => unready() === undefined)
}, 20_000)

test('a host that cannot be prepared is tried again', async () => {
  let tries = 0
  const prepare: HostDriver['prepare'] = async () => {
    tries += 1
    if (tries === 1) throw new RunyardError('bad_request', 'No engine answers.')
    return { words: 'ready', planeAddress: undefined }
  }
  await open({ ...createFakeHost('away'), prepare })
  const unready = () => pool.list()[0]?.view(Date.now()).unready
  expect(unready()).toBe('cannot be prepared: No engine answers.')
  await vi.waitUntil(() => unready() === undefined, { timeout: 20_000 })
  expect(tries).toBe(2)
}, 30_000)

test('of two hosts with one identity only the first is used, until the other has its own', async () => {
  const [one, copy] = [createFakeHost('one', 'docker:same'), createFakeHost('copy', 'docker:same')]
  await open(one, copy, createFakeHost('three'))
  expect(labels()).toEqual(['one', 'three'])
  expect([pool.twinsOf('docker:same'), pool.twinsOf('three')]).toEqual([['copy'], []])
  change(copy, createFakeHost('three'))
  await vi.waitUntil(() => labels().join() === 'copy,three')
})
