// The gateway or Redis is unavailable for longer than a lease: no worker loses its job, and our agent keeps finished work (ADR 20). For an SDK
// worker, finished work survives as far as the SDK allows (worker-api §5.2).
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '@runyard/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { waitFor } from '../harness/wait.ts'
import { COUNT, ECHO, sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

const LEASE_S = 5
const PATIENCE = { timeoutMs: 60_000 }

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'while the gateway is away', () => {
  let stack: Stack
  let store: Store

  beforeAll(async () => {
    stack = await startStack({
      host: 'process',
      settings: { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LEASE_DURATION_S: `${LEASE_S}` },
    })
    store = await openTestStore(stack.redis.url, { leaseMs: LEASE_S * 1000 })
  })
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await stack?.stop()
  })

  const running = async (endpointId: string, id: string): Promise<string> =>
    waitFor(
      'the job to run',
      async () => {
        const job = await stack.api.status(endpointId, id)
        return job.status === 'IN_PROGRESS' ? String(job['workerId']) : undefined
      },
      PATIENCE,
    )
  const leaseExpired = (endpointId: string): Promise<unknown> =>
    waitFor(
      'the lease to expire',
      async () => {
        const [lease] = await store.jobs.leases(endpointId)
        return lease !== undefined && lease.workerId === undefined
      },
      PATIENCE,
    )

  /** A job that ends on request. */
  const held = (name: string) => {
    const path = join(stack.dataDir, name)
    return { input: sourceCall('until', UNTIL, { path, value: 'kept' }), release: () => writeFile(path, '') }
  }

  describe('our agent', () => {
    /** Would be retired at once if its expired lease made it look idle. */
    const warm = async (name: string): Promise<string> => {
      const endpointId = await stack.api.saveEndpoint({ name, idleTimeout: 1 })
      await stack.api.runsync(endpointId, sourceCall('echo', ECHO))
      return endpointId
    }

    test('keeps a result until the gateway is back, longer than its lease, and the job does not run again', async () => {
      const endpointId = await warm('spooled-result')
      const { input, release } = held('gateway-away')
      const id = await stack.api.run(endpointId, input)
      const workerId = await running(endpointId, id)
      await stack.gateway.kill()
      await release()
      await leaseExpired(endpointId)
      await waitFor(
        'the agent to keep the result',
        async () => (await store.workerLogs.read(workerId, 'container', 50)).some(({ line }) => line.includes('it is kept on disk')),
        PATIENCE,
      )
      await stack.gateway.start()
      const job = await stack.api.settled(endpointId, id)
      expect(valueOf(job['output'])).toMatchObject({ value: 'kept', worker: workerId })
      expect((await stack.api.health(endpointId)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 0 })
    })

    test('continues a stream, and all chunks arrive in order', async () => {
      const endpointId = await warm('spooled-stream')
      const id = await stack.api.run(endpointId, sourceCall('count', COUNT, { to: 120 }))
      await running(endpointId, id)
      const first = await stack.api.get(`/v2/${endpointId}/stream/${id}`)
      await stack.gateway.kill()
      await leaseExpired(endpointId)
      await stack.gateway.start()
      await stack.api.settled(endpointId, id)
      const rest = await stack.api.get(`/v2/${endpointId}/stream/${id}`)
      const chunksOf = ({ json }: typeof first) => (json['stream'] as { output: unknown }[]).map(({ output }) => valueOf(output))
      const all = Array.from({ length: 120 }, (_, number) => ({ number }))
      const delivered = chunksOf(first)
      expect(delivered).toEqual(all.slice(0, delivered.length))
      // A gateway that is killed right after its response leaves its claim, and those chunks are delivered again (ADR 25).
      expect([all, all.slice(delivered.length)]).toContainEqual(chunksOf(rest))
    })

    test('is not considered lost when Redis was unavailable for longer than a lease', async () => {
      const endpointId = await warm('redis-away-long')
      const { input, release } = held('redis-away')
      const id = await stack.api.run(endpointId, input)
      const workerId = await running(endpointId, id)
      await stack.redis.stop()
      await release()
      const goneAt = Date.now()
      await waitFor('a lease’s time to pass', () => Date.now() - goneAt > (LEASE_S + 1) * 1000, PATIENCE)
      await stack.redis.restart()
      const job = await stack.api.settled(endpointId, id)
      expect(valueOf(job['output'])).toMatchObject({ value: 'kept', worker: workerId })
      expect((await stack.api.health(endpointId)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 0 })
    })
  })

  describe('an SDK worker', () => {
    beforeAll(async () => {
      // The worker is on no host, so a scaler would remove it.
      await stack.scaler.child().stop(30_000)
    })

    test('that is still working when the gateway is back keeps its job, although its lease had expired', async () => {
      const endpointId = await stack.api.saveEndpoint({ name: 'sdk', idleTimeout: 600 })
      await using worker = await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.12', kind: 'sync' })
      const go = join(stack.dataDir, 'go')
      const id = await stack.api.run(endpointId, { until: go })
      // Not before it has the job: a response under way is lost with the gateway.
      await waitFor('a ping to name the job', () => worker.asked.pings.at(-1)?.get('job_id') === id, PATIENCE)
      await stack.gateway.kill()
      await leaseExpired(endpointId)
      await stack.gateway.start()
      await waitFor('a ping to renew the lease', async () => (await store.jobs.leases(endpointId))[0]?.workerId === worker.id, PATIENCE)
      await writeFile(go, '')
      expect(await stack.api.settled(endpointId, id)).toMatchObject({ status: 'COMPLETED', output: { id, worker: worker.id } })
      expect((await stack.api.health(endpointId)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
    })

    // worker-api §5.2
    test('that posts its result again after a lost response has no further effect, and this is logged once', async () => {
      const endpointId = await stack.api.saveEndpoint({ name: 'twice', idleTimeout: 600 })
      await using worker = await startSdkWorker({ stack, store, endpointId, venv: 'runpod-1.12', kind: 'sync' })
      worker.asked.loseAnswer('job-done')
      const id = await stack.api.run(endpointId, { hello: 'twice' })
      const first = await stack.api.settled(endpointId, id)
      const lines = (): readonly Record<string, unknown>[] =>
        stack.gateway
          .child()
          .output()
          .split('\n')
          .filter((line) => line.includes(id) && /"(job settled|result ignored)"\}/.test(line))
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      await waitFor('the result to come again', () => lines().length > 1, PATIENCE)
      expect(lines()).toMatchObject([
        { msg: 'job settled', status: 'COMPLETED' },
        { msg: 'result ignored', reason: 'result_repeated', workerId: worker.id },
      ])
      expect(await stack.api.status(endpointId, id)).toEqual(first)
      expect((await stack.api.health(endpointId)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
    })
  })
})
