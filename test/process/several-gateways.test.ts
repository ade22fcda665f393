// Two gateways on one Redis behind a plain TCP balancer: each serves any request, one may be killed, Redis may be restarted or killed, all
// under load. Each job whose id was returned ends exactly once.
import { existsSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { toJson } from '@runyard/schema'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startMixedLoad, type AcceptedJob, type MixedLoad } from '../harness/mixed-load.ts'
import { CHUNKS, openProtocolPool, type ProtocolPool } from '../harness/protocol-pool.ts'
import { runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall } from '../suites/calls.ts'

const LEASE_S = 5
const SETTINGS = { RUNYARD_LEASE_DURATION_S: `${LEASE_S}`, RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LOG_LEVEL: 'info' }
/** Accepted jobs between two events. */
const ENOUGH = 80
/** Redis syncs its file every second, and a busy machine may be late. */
const EVERYSEC_MS = 2000

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'several gateways', () => {
  describe('with Redis that syncs its file every second', () => {
    const site = useStack('everysec')

    test('a gateway that is killed while functions run loses no job, and every repetition is counted', async () => {
      const stack = site.stack()
      const file = join(stack.dataDir, 'effects')
      await appendFile(file, '')
      const endpointId = await stack.api.saveEndpoint({ name: 'python', workersMin: 2, workersMax: 2, idleTimeout: 60 })
      await waitFor('the workers to be warm', async () => (await stack.api.health(endpointId)).workers.ready === 2)
      const ids: string[] = []
      for (const gateway of stack.gateways) {
        const values = Array.from({ length: 12 }, (_, index) => ids.length + index)
        ids.push(...(await Promise.all(values.map((value) => stack.api.run(endpointId, sourceCall('mark', MARK, { file, value }))))))
        await waitFor('functions to run', async () => (await stack.api.health(endpointId)).jobs.inProgress > 0)
        await gateway.kill()
        await gateway.start()
      }
      const values = [...ids.keys()]
      const jobs = await Promise.all(ids.map((id) => stack.api.settled(endpointId, id, 90_000)))
      expect(jobs.map(({ status }) => status)).toEqual(values.map(() => 'COMPLETED'))
      const runs = (await readFile(file, 'utf8')).trim().split('\n').map(Number)
      for (const value of values) {
        const times = runs.filter((one) => one === value).length
        expect(times).toBeGreaterThan(0)
        expect(times).toBeLessThanOrEqual(1 + (jobs[value]?.['retries'] ?? 0))
      }
    })

    test('any mix of requests is served by both, and each job runs once', async () => {
      const { stack, load, pool, endpointId } = await site.underLoad('mixed')
      await accepts(load, 2 * ENOUGH)
      await load.stop()
      expect(await faultsOf({ stack, endpointId, pool, jobs: load.accepted })).toEqual([])
      expect(load.refused).toEqual(new Map())
      expect([...pool.runs.values()].every((runs) => runs === 1)).toBe(true)
      for (const { streamed } of load.accepted) expect(streamed ?? CHUNKS).toEqual(CHUNKS)
      for (const part of stack.gateways) expect(part.child().output()).toContain('job settled')
    })

    test('a killed gateway loses nothing', async () => {
      const { stack, load, pool, endpointId } = await site.underLoad('killed-gateway')
      for (const gateway of stack.gateways) {
        await accepts(load, ENOUGH)
        await gateway.kill()
        await accepts(load, ENOUGH)
        await gateway.start()
      }
      await load.stop()
      expect(await faultsOf({ stack, endpointId, pool, jobs: load.accepted })).toEqual([])
      // Chunks of a lost attempt are sent again by the next one.
      for (const { streamed } of load.accepted) expect([...new Set(streamed ?? CHUNKS)]).toEqual(CHUNKS)
    })

    test('a reader whose gateway is killed during a response asks again and gets every chunk once, in order', async () => {
      const stack = site.stack()
      await stack.scaler.child().stop()
      const endpointId = await stack.api.saveEndpoint({ name: 'mid-answer', workersMax: 1 })
      const [raw, sdk] = [await endedStream(stack, endpointId), await endedStream(stack, endpointId)]
      const gate = join(stack.dataDir, 'gate')
      const python = runPython({ venv: 'runpod-1.12', program: 'runpod_stream.py', args: [endpointId, sdk, gate], env: stack.env })
      await Promise.race([waitFor('the client to be in mid-answer', () => existsSync(`${gate}.reached`), { timeoutMs: 120_000 }), python])
      const answer = await openAnswer(stack, `/v2/${endpointId}/stream/${raw}`)
      for (const gateway of stack.gateways) {
        await gateway.kill()
        await gateway.start()
      }
      await appendFile(`${gate}.open`, '')
      await expect(text(answer)).rejects.toThrow('aborted')
      expect(await numbersAfterwards(stack, `/v2/${endpointId}/stream/${raw}`)).toEqual(NUMBERS)
      expect((await python).found).toEqual({ numbers: NUMBERS, broken: 1 })
    })

    test('a restarted Redis loses nothing', async () => {
      const { stack, load, pool, endpointId } = await site.underLoad('restarted-redis')
      await accepts(load, ENOUGH)
      await stack.redis.stop()
      await waitFor('callers to get a 503', () => load.refused.has('503'))
      await stack.redis.restart()
      await accepts(load, ENOUGH)
      await load.stop()
      expect(await faultsOf({ stack, endpointId, pool, jobs: load.accepted })).toEqual([])
    })

    test('a killed Redis loses at most its last second', async () => {
      const { stack, load, pool, endpointId } = await site.underLoad('killed-redis')
      await accepts(load, ENOUGH)
      await stack.redis.kill('at once')
      const killedAt = Date.now()
      await stack.redis.restart()
      // Responses under way at the kill arrive before this.
      const backAt = Date.now()
      await accepts(load, ENOUGH)
      await load.stop()
      const promised = load.accepted.filter(({ at }) => at < killedAt - EVERYSEC_MS || at >= backAt)
      expect(promised.length).toBeGreaterThanOrEqual(ENOUGH)
      await drained(stack, endpointId)
      const ended = await Promise.all(promised.map(({ id }) => stack.api.status(endpointId, id)))
      expect(ended.map(({ status, output }) => [status, output])).toEqual(promised.map(({ value }) => ['COMPLETED', value]))
      expect(promised.every(({ id }) => (pool.runs.get(id) ?? 0) > 0)).toBe(true)
    })
  })

  describe('with Redis that syncs its file before it replies', () => {
    const site = useStack('always')

    test('a killed Redis loses nothing', async () => {
      const { stack, load, pool, endpointId } = await site.underLoad('killed-redis')
      for (let kills = 0; kills < 2; kills += 1) {
        await accepts(load, ENOUGH)
        await stack.redis.kill('at once')
        await stack.redis.restart()
      }
      await accepts(load, ENOUGH)
      await load.stop()
      expect(await faultsOf({ stack, endpointId, pool, jobs: load.accepted })).toEqual([])
    })
  })
})

const MARK = `
def mark(file, value):
    import time
    time.sleep(0.2)
    with open(file, "a") as effects:
        effects.write(f"{value}\\n")
    return value
`

/** More in total than the buffers of sockets and balancer, so that an unread response stays under way. */
const NUMBERS = Array.from({ length: 120 }, (_, number) => number)
const PAD = 'x'.repeat(250_000)

/** An ended job whose chunks are unread. */
async function endedStream({ api, redis }: Stack, endpointId: string): Promise<string> {
  await using store = await openTestStore(redis.url, { retention: { asyncMs: 600_000, syncMs: 600_000 } })
  const id = await api.run(endpointId, {})
  expect((await store.jobs.take(endpointId, `worker-of-${id}`))?.id).toBe(id)
  for (const number of NUMBERS)
    await store.jobs.appendChunk({ endpointId, jobId: id, workerId: `worker-of-${id}`, chunk: toJson({ output: { number, PAD } }) })
  await store.jobs.settle({ endpointId, jobId: id, workerId: `worker-of-${id}`, outcome: { status: 'COMPLETED', output: toJson('end') } })
  return id
}

/** A response that has started and is not read yet. */
async function openAnswer({ url, key }: Stack, path: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  get(url + path, { agent: false, headers: { authorization: key } }, resolve).once('error', reject)
  return await promise
}

/** What a reader receives that asks until the terminal status. */
async function numbersAfterwards({ api }: Stack, path: string): Promise<readonly number[]> {
  const numbers: number[] = []
  await waitFor('the end of the stream', async () => {
    const { json } = await api.get(path)
    numbers.push(...(json['stream'] as { output: { number: number } }[]).map(({ output }) => output.number))
    return json['status'] === 'COMPLETED'
  })
  return numbers
}

interface Chaos {
  readonly stack: Stack
  readonly endpointId: string
  readonly load: MixedLoad
  readonly pool: ProtocolPool
}

function useStack(appendfsync: 'always' | 'everysec') {
  let started: Stack | undefined
  let scope = new AsyncDisposableStack()
  const stack = (): Stack => {
    if (started === undefined) throw new Error('the stack is not started yet')
    return started
  }
  beforeAll(async () => {
    started = await startStack({ host: 'process', gateways: 2, appendfsync, settings: SETTINGS })
  })
  afterEach(async () => {
    await scope.disposeAsync()
    scope = new AsyncDisposableStack()
  })
  afterAll(async () => {
    await started?.stop()
  })
  return {
    stack,
    /** A separate endpoint, served by protocol workers. The scaler is stopped, because they are on no host that it knows. */
    async underLoad(name: string): Promise<Chaos> {
      const endpointId = await stack().api.saveEndpoint({ name, workersMax: 1 })
      await stack().scaler.child().stop()
      const pool = scope.use(await openProtocolPool(stack(), { endpointId, count: 6, leaseS: LEASE_S }))
      const load = startMixedLoad(stack(), { endpointId, callers: 8 })
      scope.defer(() => load.stop())
      return { stack: stack(), endpointId, pool, load }
    },
  }
}

async function accepts(load: MixedLoad, count: number): Promise<void> {
  const before = load.accepted.length
  await waitFor(`${count} more jobs to be accepted`, () => load.accepted.length >= before + count, { timeoutMs: 120_000 })
}

async function drained({ api }: Stack, endpointId: string): Promise<void> {
  const isEmpty = async (): Promise<boolean> => {
    const { jobs } = await api.health(endpointId)
    return jobs.inQueue === 0 && jobs.inProgress === 0
  }
  await waitFor('the queue to be empty', isEmpty, { timeoutMs: 120_000, intervalMs: 100 })
}

/**
 * Lists violations once the load has ended: a job without its own outcome, one that ran more often than its retries say, one counted twice.
 * Jobs whose callers were disconnected before they received the id have to end as well.
 */
async function faultsOf({
  stack,
  endpointId,
  pool,
  jobs,
}: Pick<Chaos, 'stack' | 'endpointId' | 'pool'> & { jobs: readonly AcceptedJob[] }): Promise<readonly string[]> {
  await drained(stack, endpointId)
  const faults: string[] = []
  for (const { id, value } of jobs) {
    const job = await stack.api.status(endpointId, id)
    const runs = pool.runs.get(id) ?? 0
    const retries = job['retries'] ?? 0
    if (job.status !== 'COMPLETED' || job['output'] !== value) faults.push(`${id} ended as ${JSON.stringify(job)}`)
    if (runs < 1 || runs > 1 + retries) faults.push(`${id} ran ${runs} times with ${retries} retries`)
  }
  const { completed, failed } = (await stack.api.health(endpointId)).jobs
  if (completed !== pool.runs.size || failed !== 0) faults.push(`${pool.runs.size} jobs ran, ${completed} completed, ${failed} failed`)
  return faults
}
