// Signals, and what happens while Redis is away, refuses writes or is set up wrongly.
import { openLine, startRedis } from '@runyard/testing'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openValueStore as openStore } from './testing/value-store.ts'
import { defineScript } from './scripts/define-script.ts'
import { number } from './scripts/replies.ts'
import { createRun } from './scripts/run-script.ts'
import { completed, submission, useStores } from './testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const storeOptions = { leaseMs: 30_000, retention: { asyncMs: 60_000, syncMs: 30_000 } }

describe('signals', () => {
  test('reach every process once, the own one before the call returns', async () => {
    const one = await stores.open()
    // Redis knows the script from now on (ADR 96).
    await one.jobs.submit('ep-2', submission('warm'))
    const two = await stores.open()
    const heard = { one: stores.listen(one), two: stores.listen(two) }
    await one.jobs.submit(EP, submission('a'))
    expect(heard.one).toEqual([{ kind: 'job-added', endpointId: EP }])
    await one.jobs.take(EP, 'w1')
    await one.jobs.appendChunk({ endpointId: EP, jobId: 'a', workerId: 'w1', chunk: 1 })
    await one.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })
    await one.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(2) })
    one.publish({ kind: 'job-stop', endpointId: EP, jobId: 'a', workerId: 'w1' })
    const expected = ['job-added', 'job-chunk', 'job-settled', 'job-stop']
    expect(heard.one.map(({ kind }) => kind)).toEqual(expected)
    await vi.waitUntil(() => heard.two.length === expected.length)
    expect(heard.two).toEqual(heard.one)
  })

  test('a listener that throws does not keep the signal from the others', async () => {
    const errors: Error[] = []
    const store = await stores.open({ onError: (error) => errors.push(error) })
    store.subscribe(() => {
      throw new Error('listener')
    })
    const heard = stores.listen(store)
    store.publish({ kind: 'keys-changed' })
    expect(heard).toHaveLength(1)
    expect(errors.map(({ message }) => message)).toEqual(['listener'])
  })

  test('what another release says is ignored', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    const heard = stores.listen(two)
    const raw = stores.raw()
    for (const message of ['no json', '{"origin":"x","signal":{"kind":"from-the-future"}}', 'null']) {
      await raw.publish(`${stores.prefix()}:{@}:signals`, message)
    }
    one.publish({ kind: 'keys-changed' })
    await vi.waitUntil(() => heard.length > 0)
    expect(heard).toEqual([{ kind: 'keys-changed' }])
  })
})

describe('connections', () => {
  test('a store holds two connections, however many endpoints it serves', async () => {
    const raw = stores.raw()
    const count = async () =>
      String(await raw.client('LIST'))
        .trim()
        .split('\n').length
    // Those of earlier tests may just be closing.
    await expect.poll(count).toBe(1)
    const { jobs } = await stores.open()
    for (let n = 0; n < 20; n += 1) {
      await jobs.submit(`ep-${n}`, submission('a'))
      await jobs.take(`ep-${n}`, 'w1')
      await jobs.take(`ep-${n}`, 'w1')
    }
    expect(await count()).toBe(3)
    expect(String(await raw.client('LIST'))).not.toMatch(/cmd=(bzpopmin|blpop|brpop)/)
  })
})

describe('while Redis is away', () => {
  test('calls fail with store_unavailable, and everything works again by itself afterwards', async () => {
    await using redis = await startRedis({ args: ['--appendfsync', 'always'] })
    await using store = await openStore({ redisUrl: redis.url, ...storeOptions })
    const heard = stores.listen(store)
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.submit(EP, submission('b'))
    await store.jobs.take(EP, 'w1')
    expect(store.isUp()).toBe(true)

    await redis.kill()
    await vi.waitUntil(() => !store.isUp())
    for (const call of [
      () => store.jobs.submit(EP, submission('lost')),
      () => store.jobs.take(EP, 'w2'),
      () => store.jobs.get(EP, 'a'),
      () => store.workers.list(EP),
      () => store.endpoints.list(),
      () => store.keys.verify('key'),
      () => store.instance(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'store_unavailable', retryAfterS: 2, httpStatus: 503 })
    }
    expect(await store.problems()).toEqual([{ kind: 'away', message: 'Redis cannot be reached right now.' }])
    store.publish({ kind: 'keys-changed' })

    await redis.restart()
    await vi.waitUntil(() => heard.some(({ kind }) => kind === 'resync'))
    expect(store.isUp()).toBe(true)
    expect(await store.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(1) })).toBe('settled')
    expect((await store.jobs.take(EP, 'w2'))?.id).toBe('b')
    expect(await store.jobs.get(EP, 'lost')).toBeUndefined()
  })

  test('a call that is under way when the connection breaks fails instead of being sent again', async () => {
    await using redis = await startRedis()
    await using store = await openStore({ redisUrl: redis.url, ...storeOptions })
    await store.jobs.submit(EP, submission('a'))
    process.kill(redis.pid, 'SIGSTOP')
    const taking = store.jobs.take(EP, 'w1')
    process.kill(redis.pid, 'SIGKILL')
    await expect(taking).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('a connection for commands that died without a word is given up, and another one is made', async () => {
    await using line = await openLine(stores.redis().port)
    const store = await stores.open({ redisUrl: line.url, answerMs: 3000 })
    const heard = stores.listen(store)
    expect(line.freeze('commands')).toBe(1)
    await expect(store.jobs.submit(EP, submission('lost'))).rejects.toMatchObject({ code: 'store_unavailable' })
    await vi.waitUntil(() => heard.some(({ kind }) => kind === 'resync'))
    await store.jobs.submit(EP, submission('a'))
    expect((await store.jobs.take(EP, 'w1'))?.id).toBe('a')
  })

  test('a Redis that hangs keeps no call waiting for ever, and is used again when it goes on', async () => {
    await using redis = await startRedis()
    await using store = await openStore({ redisUrl: redis.url, answerMs: 3000, ...storeOptions })
    const heard = stores.listen(store)
    process.kill(redis.pid, 'SIGSTOP')
    const calls = Array.from({ length: 50 }, () => store.jobs.get(EP, 'a'))
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'store_unavailable' })
    await vi.waitUntil(() => !store.isUp())
    await expect(store.jobs.get(EP, 'a')).rejects.toMatchObject({ code: 'store_unavailable' })
    process.kill(redis.pid, 'SIGCONT')
    await vi.waitUntil(() => heard.some(({ kind }) => kind === 'resync'))
    await store.jobs.submit(EP, submission('a'))
    expect((await store.jobs.take(EP, 'w1'))?.id).toBe('a')
  })

  test('what callers that gave up have sent to a Redis that hung gives nothing away later', async () => {
    await using redis = await startRedis()
    await using store = await openStore({ redisUrl: redis.url, answerMs: 1000, ...storeOptions })
    const heard = stores.listen(store)
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.take(EP, 'w1')
    await store.jobs.giveBack(EP, 'a', 'w1')
    process.kill(redis.pid, 'SIGSTOP')
    const calls = [store.jobs.take(EP, 'w1'), store.jobs.submit(EP, submission('lost'))]
    // Its connection breaks long before this one has waited for as long as the first one.
    const last = sleep(700).then(() => store.jobs.take(EP, 'w2'))
    for (const call of [...calls, last]) await expect(call).rejects.toMatchObject({ code: 'store_unavailable' })
    process.kill(redis.pid, 'SIGCONT')
    const raw = new Redis(redis.url)
    onTestFinished(() => raw.disconnect())
    await expect.poll(() => raw.info('errorstats')).toMatch(/TOOLATE:count=[23]/)
    await vi.waitUntil(() => heard.some(({ kind }) => kind === 'resync'))
    expect(await store.jobs.get(EP, 'a')).toMatchObject({ status: 'IN_QUEUE', retries: 0 })
    expect(await store.jobs.stats(EP)).toMatchObject({ waiting: 1, inProgress: 0 })
    expect(await store.jobs.take(EP, 'w2')).toMatchObject({ id: 'a', attempt: 1 })
  })

  test('a caller that still waits gets what it asks for, whatever clock Redis has', async () => {
    let until = 0
    const answers = { awaitedUntil: () => until, noteClock: (redisMs: number) => void (until = redisMs + 60_000) }
    const script = defineScript({
      lua: { name: 'counts', text: "return call('INCR', key)" },
      keys: ['key'],
      reply: number,
      onlyIfAwaited: true,
    })
    const run = createRun({ client: stores.raw(), answers })
    expect([await run(script, { key: 'count' }), await run(script, { key: 'count' })]).toEqual([1, 2])
  })

  test('a store is not opened where no Redis answers, and says where', async () => {
    await using redis = await startRedis()
    await redis.kill()
    const { host } = new URL(redis.url)
    await expect(openStore({ redisUrl: `redis://user:secret@${host}`, ...storeOptions, connectWaitMs: 200 })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(new RegExp(`^Redis at ${host} cannot be reached: .*ECONNREFUSED`)),
    })
  })
})

describe('while Redis refuses writes', () => {
  test.each([
    ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], 'OOM'],
    ['a read-only replica', ['REPLICAOF', '127.0.0.1', '1'], 'READONLY'],
    ['too few replicas', ['CONFIG', 'SET', 'min-replicas-to-write', '3'], 'NOREPLICAS'],
  ])('%s is reported as store_unavailable, and nothing is half accepted', async (_name, [command = '', ...args], word) => {
    await using redis = await startRedis()
    await using store = await openStore({ redisUrl: redis.url, ...storeOptions })
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.take(EP, 'w1')
    const raw = new Redis(redis.url)
    try {
      await raw.call(command, ...args)
      const message = `Redis refuses to serve right now (${word}).`
      await expect(store.jobs.submit(EP, submission('b'))).rejects.toMatchObject({ code: 'store_unavailable', message })
    } finally {
      raw.disconnect()
    }
  })

  test('one whose disk is full answers, says what is wrong, and serves again afterwards', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'runyard-full-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    // As a full disk, it lets no snapshot be written.
    const inTheWay = join(directory, 'dump.rdb')
    await using redis = await startRedis({ directory, appendonly: false, args: ['--save', '3600 1'] })
    await using store = await openStore({ redisUrl: redis.url, ...storeOptions })
    const raw = new Redis(redis.url)
    const save = async (status: string): Promise<void> => {
      await raw.bgsave()
      await expect.poll(() => raw.info('persistence')).toMatch(new RegExp(`rdb_bgsave_in_progress:0[^]*rdb_last_bgsave_status:${status}`))
    }
    try {
      await store.jobs.submit(EP, submission('a'))
      await mkdir(inTheWay)
      await save('err')
      await expect(store.jobs.submit(EP, submission('b'))).rejects.toMatchObject({ message: expect.stringContaining('MISCONF') })
      expect(await store.isAnswering()).toBe(true)
      expect(await store.problems()).toContainEqual({ kind: 'read_only', message: expect.any(String) })
      await rm(inTheWay, { recursive: true })
      await save('ok')
      await store.jobs.submit(EP, submission('b'))
    } finally {
      raw.disconnect()
    }
  })

  test('problems names what is wrong with the server’s settings', async () => {
    await using redis = await startRedis()
    await using store = await openStore({ redisUrl: redis.url, ...storeOptions })
    expect(await store.problems()).toEqual([])
    await using lax = await startRedis({ appendonly: false, args: ['--maxmemory-policy', 'allkeys-lru'] })
    await using laxStore = await openStore({ redisUrl: lax.url, ...storeOptions })
    expect(await laxStore.problems()).toEqual([
      { kind: 'may_evict', message: expect.stringContaining('its maxmemory-policy is "allkeys-lru"') },
      { kind: 'not_durable', message: expect.stringContaining('its append-only file is off') },
    ])
  })
})
