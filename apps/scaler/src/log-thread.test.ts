import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@runyard/kit'
import { Config, HostConfig } from '@runyard/schema'
import { openStore, storeOptionsOf } from '@runyard/store'
import { startRedis, workerLaunch } from '@runyard/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openLogThread } from './log-thread.ts'
import { createFakeHost } from './testing/scaler-fixture.ts'
import { createProcessHost } from '@runyard/host-process'

const log = createLogger({ name: 'log-thread-test', level: 'silent' })
let dataDir = ''

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'runyard-log-thread-'))
})

afterEach(() => rm(dataDir, { recursive: true, force: true }))

it('copies what a worker prints into the store, and has stored it all when the worker is finished', async () => {
  await using redis = await startRedis()
  const config = Config.parse({ dataDir, redis: { url: redis.url }, hosts: [{ id: 'here', kind: 'process' }] })
  await using store = await openStore(storeOptionsOf(config, 'test'))
  const scratchDir = join(dataDir, 'hosts', 'here')
  const script = 'echo one; while [ ! -e end ]; do sleep 0.05; done; echo two'
  const agentCommand = ['sh', '-c', script]
  await using driver = createProcessHost({ label: 'here', hostId: 'here', instanceId: 'install', scratchDir, agentCommand })
  await using logs = openLogThread({ setup: { config, instanceId: 'install' }, hostOf: () => config.hosts?.[0], log })
  await driver.startWorker(launch)
  logs.follow(driver, launch.workerId)
  const lines = async () => (await store.workerLogs.read(launch.workerId, 'container', 10)).map(({ line }) => line)
  await vi.waitUntil(async () => (await lines()).length > 0)
  await writeFile(join(scratchDir, launch.workerId, 'end'), '')
  await vi.waitUntil(async () => (await driver.listWorkers()).every(({ state }) => state === 'exited'))
  await logs.finish(launch.workerId)
  expect(await lines()).toEqual(['one', 'two'])
  await driver.removeWorker(launch.workerId)
})

it('starts a lost thread again, which goes on with the workers that were followed', async () => {
  const orders = join(dataDir, 'orders')
  const entry = join(dataDir, 'entry.mjs')
  // Ends at its first order about "bad", and notes all orders.
  await writeFile(
    entry,
    `import { appendFileSync, readFileSync } from 'node:fs'
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', (order) => {
      const isFirst = !readFileSync(${JSON.stringify(orders)}, 'utf8').includes('bad')
      appendFileSync(${JSON.stringify(orders)}, order.kind + ' ' + (order.workerId ?? '') + '\\n')
      if (order.workerId === 'bad' && isFirst) process.exit(1)
      if (order.kind === 'finish') parentPort.postMessage({ kind: 'finished', workerId: order.workerId })
      if (order.kind === 'stop') parentPort.close()
    })`,
  )
  await writeFile(orders, '')
  const config = Config.parse({ dataDir })
  const logs = openLogThread({
    setup: { config, instanceId: 'install' },
    hostOf: () => HostConfig.parse('process'),
    log,
    entry,
    restartAfterMs: 1,
  })
  const host = createFakeHost('here')
  logs.follow(host, 'good')
  logs.follow(host, 'bad')
  await vi.waitUntil(async () => (await readFile(orders, 'utf8')).split('\n').length > 4)
  await logs.finish('good')
  await logs[Symbol.asyncDispose]()
  expect((await readFile(orders, 'utf8')).trim().split('\n')).toEqual([
    'follow good',
    'follow bad',
    'follow good',
    'follow bad',
    'finish good',
    'stop',
  ])
})

const launch = workerLaunch({ workerId: 'printer001', image: 'any', withAgent: true })
