// Two scalers on one Redis, and a lost Redis: a scaler does not destroy workers that it does not know, and no worker keeps running without an
// owner. All kills are SIGKILL.
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkerRecord } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startStack, type Part, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

await suiteThatNeeds(['redis'], 'two scalers, and a Redis that is lost', () => {
  let stack: Stack
  let store: Store
  let second: Part | undefined

  beforeEach(async () => {
    stack = await startStack({ host: 'process', settings: { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LOG_LEVEL: 'info' } })
    store = await openTestStore(stack.redis.url)
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await second?.child().stop(60_000)
    second = undefined
    await stack.stop()
  })

  const gate = (): string => join(stack.dataDir, 'gate')
  const echo = (value: unknown) => sourceCall('echo', ECHO, { value })
  const said = (part: Part, words: string) => waitFor(`the scaler to say "${words}"`, () => part.child().output().includes(words))
  const workers = (endpoint: string): Promise<readonly WorkerRecord[]> => store.workers.list(endpoint)

  /** A job that runs until the gate opens, on the only worker of its endpoint. */
  async function heldJob(name: string): Promise<{ endpoint: string; id: string; worker: string; pid: number }> {
    const endpoint = await stack.api.saveEndpoint({ name, idleTimeout: 60, workersMax: 1 })
    const id = await stack.api.run(endpoint, sourceCall('until', UNTIL, { path: gate(), value: 'held' }))
    const worker = await waitFor('the job to run', async () => {
      const job = await stack.api.status(endpoint, id)
      return job.status === 'IN_PROGRESS' && typeof job['workerId'] === 'string' ? job['workerId'] : undefined
    })
    return { endpoint, id, worker, pid: await findWorkerPid('process', worker) }
  }

  /** Counts the workers as often as it can while `work` runs; returns the maximum. */
  async function mostWorkersDuring(endpoint: string, work: () => Promise<void>): Promise<number> {
    let most = 0
    const over = new AbortController()
    const done = work().finally(() => over.abort())
    while (!over.signal.aborted) most = Math.max(most, (await workers(endpoint)).length)
    await done
    return most
  }

  test('when the leader is killed during a job, the other takes over within seconds, and the job ends on its worker', async () => {
    const { endpoint, id, worker } = await heldJob('mid-job')
    second = stack.anotherScaler()
    const standby = second
    await standby.start()
    await said(standby, 'stands by')
    const more = await Promise.all([1, 2, 3].map((value) => stack.api.run(endpoint, echo(value))))
    const most = await mostWorkersDuring(endpoint, async () => {
      await stack.scaler.kill()
      const killedAt = Date.now()
      await said(standby, 'this scaler leads')
      console.log(`leader killed → another leads: ${((Date.now() - killedAt) / 1000).toFixed(1)} s`)
      await appendFile(gate(), '')
      expect(valueOf((await stack.api.settled(endpoint, id))['output'])).toEqual({ value: 'held', worker })
      for (const one of more) expect(await stack.api.settled(endpoint, one)).toMatchObject({ status: 'COMPLETED', workerId: worker })
    })
    expect(most).toBe(1)
    // The first scaler comes back as the standby.
    await stack.scaler.start()
    await said(stack.scaler, 'stands by')
    expect(await stack.api.runsync(endpoint, echo('after'))).toMatchObject({ status: 'COMPLETED' })
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 5, failed: 0, retried: 0 })
  })

  test('a scaler on another host destroys nothing, neither as standby nor as leader', async () => {
    const { endpoint, id, worker, pid } = await heldJob('elsewhere')
    const dataDir = join(stack.dataDir, 'second')
    await mkdir(dataDir)
    second = stack.anotherScaler({ RUNYARD_DATA_DIR: dataDir })
    await second.start()
    await said(second, 'stands by')
    await stack.scaler.kill()
    await said(second, 'this scaler leads')
    // Once another endpoint's worker runs, it has read everything more than once.
    const own = await stack.api.saveEndpoint({ name: 'its-own', idleTimeout: 60 })
    expect(await stack.api.runsync(own, echo(1))).toMatchObject({ status: 'COMPLETED' })
    expect(await findWorkerPid('process', worker)).toBe(pid)
    await appendFile(gate(), '')
    expect(valueOf((await stack.api.settled(endpoint, id))['output'])).toEqual({ value: 'held', worker })
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
    // Each scaler drains its own host when it stops, so the first one is started again.
    const taken = second
    second = undefined
    await taken.child().stop(60_000)
    await stack.scaler.start()
    await said(stack.scaler, 'this scaler leads')
  })

  test('when the leader is killed after it wrote a worker’s record, the next leader starts the worker and counts no failure', async () => {
    const endpoint = await stack.api.saveEndpoint({ name: 'between', idleTimeout: 60, workersMax: 2 })
    await stack.api.runsync(endpoint, echo(1))
    const [first] = await workers(endpoint)
    if (first === undefined) throw new Error('there is no worker')
    await stack.scaler.kill()
    const { id: _id, containerStartedAt: _started, readyAt: _ready, lastSeenAt: _seen, lastJobEndedAt: _ended, ...placed } = first
    await store.workers.create({ ...placed, id: 'halfway000001', createdAt: Date.now() })
    await stack.scaler.start()
    await waitFor('the worker to be ready', async () => (await store.workers.get(endpoint, 'halfway000001'))?.readyAt !== undefined)
    expect((await workers(endpoint)).map(({ id }) => id).toSorted()).toEqual([first.id, 'halfway000001'].toSorted())
    expect((await store.status.get(endpoint))?.unhealthy ?? 0).toBe(0)
    await said(stack.scaler, 'goes on with a start that another scaler began')
  })

  test('after Redis data was set aside, the next start finds and ends the workers that still run', async () => {
    const { pid } = await heldJob('set-aside')
    await Promise.all([stack.scaler.kill(), stack.gateway.kill()])
    await stack.redis.kill('at once')
    await rename(join(stack.dataDir, 'redis'), join(stack.dataDir, 'redis-aside'))
    await mkdir(join(stack.dataDir, 'redis'))
    const instance = await readFile(join(stack.dataDir, 'instance'), 'utf8')
    await stack.redis.restart()
    await stack.gateway.start()
    await stack.scaler.start()
    await waitFor('the orphan to be gone', () => !existsSync(`/proc/${pid}/cmdline`))
    await Promise.any([stack.gateway, stack.scaler].map(async (part) => said(part, 'Redis had been emptied')))
    expect(await readFile(join(stack.dataDir, 'instance'), 'utf8')).toBe(instance)
    const endpoint = await stack.api.saveEndpoint({ name: 'afterwards', idleTimeout: 60 })
    expect(await stack.api.runsync(endpoint, echo(1))).toMatchObject({ status: 'COMPLETED' })
  })

  test('after Redis was emptied, the stack recovers without a restart, and a restarted gateway serves the new workers', async () => {
    const { pid } = await heldJob('emptied')
    const redis = new Redis(stack.redis.port)
    await redis.flushall()
    redis.disconnect()
    await waitFor('the worker to be gone', () => !existsSync(`/proc/${pid}/cmdline`), { timeoutMs: 90_000 })
    const endpoint = await stack.api.saveEndpoint({ name: 'again', idleTimeout: 60 })
    expect(await stack.api.runsync(endpoint, echo(1))).toMatchObject({ status: 'COMPLETED' })
    await stack.gateway.kill()
    await stack.gateway.start()
    expect(await stack.api.runsync(endpoint, echo(2))).toMatchObject({ status: 'COMPLETED' })
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 0 })
  })

  test('a Redis of another installation is rejected with one sentence', async () => {
    const theirs = join(stack.dataDir, 'theirs')
    await mkdir(theirs)
    await appendFile(join(theirs, 'instance'), JSON.stringify({ id: 'theirs', workerSecret: 'x' }))
    second = stack.anotherScaler({ RUNYARD_DATA_DIR: theirs })
    await expect(second.start()).rejects.toThrow(/belongs to the installation theirs, and this Redis to the installation [0-9a-f]+: /)
    second = undefined
  })
})
