// No wake-up is lost for good: a script that fills a queue publishes a signal in the same step, and a process that missed signals gets a `resync`.
import type { Endpoint } from '@runyard/schema'
import { openLine } from '@runyard/testing'
import { workerRecord } from '@runyard/testing/records'
import type { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { endpoint, template } from './testing/endpoint-fixture.ts'
import { openWorkerLogs } from './open-store.ts'
import { saveTemplate } from './testing/resource-fixture.ts'
import { completed, submission, useStores } from './testing/test-store.ts'
import type { Store } from './testing/value-store.ts'

const stores = useStores()
const EP = 'ep-1'
const BUDGET = { budget: 2, evidence: '' }

/** Each brings one more job into the queue of the endpoint. */
const WAYS: readonly (readonly [name: string, prepare: (store: Store) => Promise<unknown>, fill: (store: Store) => Promise<unknown>])[] = [
  ['submit', async () => undefined, ({ jobs }) => jobs.submit(EP, submission('a'))],
  [
    'submit once',
    async () => undefined,
    ({ jobs }) => jobs.submitOnce(EP, submission('a'), { key: 'k', fingerprint: 'f', windowMs: 60_000 }),
  ],
  ['give back', takeOne, ({ jobs }) => jobs.giveBack(EP, 'a', 'w1')],
  ['take back', takeOne, ({ jobs }) => jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, BUDGET)],
  ['retry', failOne, ({ jobs }) => jobs.retry(EP, 'a')],
  ['batch', finalizeOne, ({ batches }) => batches.submit({ endpointId: EP, batchId: 'b' }, 0)],
]

async function takeOne({ jobs }: Store): Promise<void> {
  await jobs.submit(EP, submission('a'))
  await jobs.take(EP, 'w1')
}

async function failOne(store: Store): Promise<void> {
  await takeOne(store)
  await store.jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: { status: 'FAILED', error: 'no' } })
}

async function finalizeOne({ batches }: Store): Promise<void> {
  const at = { endpointId: EP, batchId: 'b' }
  await batches.create(at, 10)
  await batches.add(at, [submission('a')], { requests: 10, bytes: 10_000 })
  await batches.finalize(at, 100)
}

/** Each changes what other processes remember. */
const CHANGES: readonly (readonly [name: string, kind: string, prepare: (store: Store) => Promise<(store: Store) => Promise<unknown>>])[] =
  [
    ['a new endpoint', 'endpoint-changed', async () => addEndpoint],
    [
      'a deleted endpoint',
      'endpoint-changed',
      async (store) => {
        const { id } = await addEndpoint(store)
        return ({ endpoints }) => endpoints.delete(id)
      },
    ],
    [
      'an endpoint of a changed template',
      'endpoint-changed',
      async (store) => {
        await saveTemplate(store, template('t1'))
        const gpu = { pools: ['ADA_24'], excludedTypes: [], count: 1, allowedCudaVersions: [] }
        const one = endpoint('ep-1', { sharedTemplateId: 't1', spec: { gpu } })
        await store.endpoints.upsert({ id: one.id }, () => one)
        return (other) => saveTemplate(other, template('t1', 'other'))
      },
    ],
    [
      'a new key',
      'keys-changed',
      async () =>
        ({ keys }) =>
          keys.create({ name: 'k', ownerId: 'owner' }),
    ],
    [
      'a revoked key',
      'keys-changed',
      async (store) => {
        const { key } = await store.keys.create({ name: 'k', ownerId: 'owner' })
        return ({ keys }) => keys.revoke(key.id)
      },
    ],
    [
      'a new worker',
      'worker-changed',
      async () =>
        ({ workers }) =>
          workers.create(workerRecord('w1')),
    ],
    [
      'a changed worker',
      'worker-changed',
      async (store) => {
        await store.workers.create(workerRecord('w1'))
        return ({ workers }) => workers.patch({ endpointId: EP, workerId: 'w1', fields: { refreshRequested: true } })
      },
    ],
  ]

function addEndpoint({ endpoints }: Store): Promise<Endpoint> {
  return endpoints.upsert({ id: EP }, () => endpoint(EP))
}

/** The sources of the signal: `lua` is a script. */
async function publishersOf(kind: string, act: () => Promise<unknown>): Promise<readonly string[]> {
  const raw = stores.raw()
  const monitor = await raw.monitor()
  onTestFinished(() => monitor.disconnect())
  const sources: string[] = []
  let isOver = false
  monitor.on('monitor', (_time: string, [command = '', ...args]: readonly string[], source: string) => {
    if (command.toLowerCase() === 'publish' && args[1]?.includes(kind) === true) sources.push(source)
    if (command.toLowerCase() === 'echo') isOver = true
  })
  await act()
  await raw.echo('over')
  await vi.waitUntil(() => isOver)
  return sources
}

// A process that dies after the step has published the signal; one that dies before it has changed nothing.
test.each(WAYS)('a job added by "%s" is announced by the script that adds it', async (_name, prepare, fill) => {
  const store = await stores.open()
  await prepare(store)
  expect(await publishersOf('job-added', () => fill(store))).toEqual(['lua'])
})

test.each(CHANGES)('%s is announced by the script that writes it', async (_name, kind, prepare) => {
  const store = await stores.open()
  const change = await prepare(store)
  const own = stores.listen(store)
  expect(await publishersOf(kind, () => change(store))).toEqual(['lua'])
  expect(own.map((signal) => signal.kind)).toContain(kind)
})

describe('a subscription', () => {
  const isResynced = (heard: ReturnType<typeof stores.listen>) => vi.waitUntil(() => heard.some(({ kind }) => kind === 'resync'))

  // As Redis does it with a reader that is too slow (`client-output-buffer-limit pubsub`).
  test('that Redis cuts is restored, and all subscribers get a resync', async () => {
    const heard = stores.listen(await stores.open())
    await stores.raw().call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await isResynced(heard)
    expect(heard).toEqual([{ kind: 'resync' }])
  })

  test('that is refused is retried until it is active', async () => {
    const errors: string[] = []
    const store = await stores.open({ signalCheckMs: 50, onError: ({ message }) => errors.push(message) })
    const heard = stores.listen(store)
    const admin = stores.raw()
    await setChannels(admin, 'resetchannels')
    onTestFinished(() => setChannels(stores.raw(), 'allchannels'))
    await vi.waitUntil(() => errors.some((message) => message.startsWith('NOPERM')))
    expect(heard).toEqual([])
    await setChannels(admin, 'allchannels')
    await isResynced(heard)
  })

  test('that died silently is detected, and all subscribers get a resync', async () => {
    await using line = await openLine(stores.redis().port)
    const store = await stores.open({ redisUrl: line.url, signalCheckMs: 100, answerMs: 3000 })
    const heard = stores.listen(store)
    await vi.waitUntil(() => line.freeze('subscriptions') === 1)
    const other = await stores.open()
    await isResynced(heard)
    await other.jobs.submit(EP, submission('a'))
    await vi.waitUntil(() => heard.at(-1)?.kind === 'job-added')
    expect(heard[0]).toEqual({ kind: 'resync' })
  })
})

describe('a job that is submitted', () => {
  /** What this process takes as soon as it hears of a job. */
  function takeAtOnce(store: Store) {
    const taken: Promise<string | undefined>[] = []
    store.subscribe(({ kind }) => {
      if (kind === 'job-added') taken.push(store.jobs.take(EP, 'w1').then((job) => job?.id))
    })
    return taken
  }

  test('can be taken by its own process in the same round trip (ADR 96)', async () => {
    const store = await stores.open()
    await store.jobs.submit(EP, submission('warm'))
    await store.jobs.take(EP, 'w1')
    const taken = takeAtOnce(store)
    const accepted = store.jobs.submit(EP, submission('a'))
    // No answer of Redis can arrive in this turn of the event loop.
    for (let steps = 0; steps < 100; steps += 1) await Promise.resolve()
    expect(taken).toHaveLength(1)
    expect(await Promise.all(taken)).toEqual(['a'])
    await accepted
  })

  test('can be taken in the same round trip as the result of its worker’s last job', async () => {
    const { jobs } = await stores.open()
    for (const id of ['warm', 'a', 'b']) await jobs.submit(EP, submission(id))
    await jobs.take(EP, 'w1')
    await jobs.settle({ endpointId: EP, jobId: 'warm', workerId: 'w1', outcome: completed(1) })
    await jobs.take(EP, 'w1')
    const steps: string[] = []
    const taken: Promise<unknown>[] = []
    const sent = (): unknown => taken.push(jobs.take(EP, 'w1').then((job) => steps.push(`took ${job?.id}`)))
    steps.push(await jobs.settle({ endpointId: EP, jobId: 'a', workerId: 'w1', outcome: completed(2) }, sent))
    expect(taken).toHaveLength(1)
    await Promise.all(taken)
    expect(steps).toEqual(['settled', 'took b'])
  })

  test('is announced once more where Redis did not know the script', async () => {
    const store = await stores.open()
    await store.jobs.submit(EP, submission('warm'))
    await store.jobs.take(EP, 'w1')
    const taken = takeAtOnce(store)
    await stores.raw().script('FLUSH')
    await store.jobs.submit(EP, submission('a'))
    expect((await Promise.all(taken)).filter((id) => id !== undefined)).toEqual(['a'])
  })

  test('and refused is announced in vain', async () => {
    const store = await stores.open({ retention: { asyncMs: 60_000, syncMs: 30_000, queueJobs: 1 } })
    await store.jobs.submit(EP, submission('first'))
    const taken = takeAtOnce(store)
    await expect(store.jobs.submit(EP, submission('second'))).rejects.toThrow('queue')
    expect(await Promise.all(taken)).toEqual(['first'])
    expect(await store.jobs.take(EP, 'w1')).toBeUndefined()
  })
})

async function setChannels(client: Redis, rule: string): Promise<void> {
  await client.call('ACL', 'SETUSER', 'default', rule)
}

test('the logs of workers are announced to others over a connection that hears nothing itself', async () => {
  const store = await stores.open()
  await store.workerLogs.follow('w1', 60_000)
  const heard = stores.listen(store)
  await using logs = await openWorkerLogs({
    redisUrl: stores.redis().url,
    prefix: stores.prefix(),
    name: 'only-logs',
    leaseMs: 30_000,
    retention: { asyncMs: 60_000, syncMs: 30_000 },
  })
  await logs.workerLogs.append('w1', 'container', [{ at: 1, line: 'one' }])
  await vi.waitFor(() => expect(heard).toEqual([{ kind: 'worker-logged', workerId: 'w1' }]))
  expect(await logs.workerLogs.read('w1', 'container', 1)).toEqual([{ at: 1, line: 'one' }])
  const connections = String(await stores.raw().client('LIST')).split('\n')
  expect(connections.filter((line) => line.includes('name=only-logs'))).toEqual([expect.stringContaining(' sub=0 ')])
})
