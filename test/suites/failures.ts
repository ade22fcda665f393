// Processes are killed during a job: the job runs again or is settled, and is never lost or duplicated.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, HANG_ON, NAP, sourceCall, valueOf } from './calls.ts'

/** Kills its own process, or its parent, and then continues if it can. */
const DIE = `
def die():
    import os, signal, time
    os.kill(VICTIM, signal.SIGKILL)
    time.sleep(60)
`

export function failuresSuite(host: HostKind): void {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host, settings: { RUNYARD_LEASE_PING_INTERVAL_S: '1' } })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const nap = (seconds: number, value: unknown): Record<string, unknown> => sourceCall('nap', NAP, { seconds, value })
  const startedJob = async (endpoint: string, input: unknown): Promise<{ id: string; workerId: string }> => {
    const id = await stack.api.run(endpoint, input)
    const workerId = await waitFor('the job to be in progress', async () => {
      const job = await stack.api.status(endpoint, id)
      return job.status === 'IN_PROGRESS' && typeof job['workerId'] === 'string' ? job['workerId'] : undefined
    })
    return { id, workerId }
  }
  /** A warm worker, so that a kill hits a running function and not a start. */
  const warm = async (name: string, more: { workersMax?: number } = {}): Promise<{ endpoint: string; worker: string }> => {
    const endpoint = await stack.api.saveEndpoint({ name, idleTimeout: 60, ...more })
    const { output } = await stack.api.runsync(endpoint, sourceCall('echo', ECHO))
    return { endpoint, worker: String(valueOf(output)['worker']) }
  }

  test('a job whose worker is killed runs again on another worker', async () => {
    const { endpoint, worker } = await warm('killed-worker', { workersMax: 2 })
    const { id, workerId } = await startedJob(endpoint, sourceCall('hang_on', HANG_ON, { worker, value: 'survivor' }))
    expect(workerId).toBe(worker)
    process.kill(await findWorkerPid(host, workerId), 'SIGKILL')
    const killedAt = Date.now()
    const job = await stack.api.settled(endpoint, id)
    const value = valueOf(job['output'])
    console.log(`killed → running again on ${host}: ${(Number(value['begun']) - killedAt / 1000).toFixed(2)} s`)
    expect(value).toMatchObject({ value: 'survivor' })
    expect(value['worker']).not.toBe(workerId)
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 1, inQueue: 0, inProgress: 0 })
  })

  test('a job whose workers are killed repeatedly fails with the evidence once the budget is spent', async () => {
    const { endpoint } = await warm('spent-budget')
    const id = await stack.api.run(endpoint, nap(600, 'never'))
    const killed = new Set<string>()
    const job = await waitFor(
      'the budget to be spent',
      async () => {
        const now = await stack.api.status(endpoint, id)
        if (now.status === 'FAILED') return now
        const workerId = now['workerId']
        if (now.status !== 'IN_PROGRESS' || typeof workerId !== 'string' || killed.has(workerId)) return undefined
        process.kill(await findWorkerPid(host, workerId), 'SIGKILL')
        killed.add(workerId)
        return undefined
      },
      { timeoutMs: 180_000 },
    )
    expect(killed.size).toBe(3)
    expect(job['error']).toMatch(/SIGKILL|137|killed/i)
  })

  test('a gateway that is killed during a job loses nothing and duplicates nothing', async () => {
    const { endpoint } = await warm('killed-gateway', { workersMax: 2 })
    const ids = await Promise.all([0, 1, 2, 3].map((number) => stack.api.run(endpoint, nap(1.5, number))))
    await waitFor('jobs to run', async () => (await stack.api.health(endpoint)).jobs.inProgress > 0)
    await stack.gateway.kill()
    await stack.gateway.start()
    const jobs = await Promise.all(ids.map((id) => stack.api.settled(endpoint, id)))
    expect(jobs.map((job) => valueOf(job['output'])['value'])).toEqual([0, 1, 2, 3])
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 5, failed: 0, retried: 0, inQueue: 0, inProgress: 0 })
  })

  test('a scaler that is killed during a job loses nothing and duplicates nothing', async () => {
    const { endpoint } = await warm('killed-scaler', { workersMax: 2 })
    const { id, workerId } = await startedJob(endpoint, nap(3, 'steady'))
    await stack.scaler.kill()
    await stack.scaler.start()
    const job = await stack.api.settled(endpoint, id)
    expect(valueOf(job['output'])).toMatchObject({ value: 'steady', worker: workerId })
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 2, failed: 0, retried: 0 })
    await stack.api.runsync(endpoint, sourceCall('echo', ECHO))
  })

  test('while Redis is unavailable callers get a 503, and afterwards accepted jobs still exist', async () => {
    const { endpoint } = await warm('redis-away')
    const id = await stack.api.run(endpoint, nap(2, 'kept'))
    await waitFor('the job to run', async () => (await stack.api.status(endpoint, id)).status === 'IN_PROGRESS')
    // "Accepted" means fsynced within a second (ADR 11), so only jobs on disk have to survive.
    await stack.redis.kill()
    const refused = await waitFor('a refusal', async () => {
      const reply = await stack.api.post(`/v2/${endpoint}/run`, { input: {} })
      return reply.status === 200 ? undefined : reply
    })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(typeof refused.json['error']).toBe('string')
    expect((await fetch(`${stack.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200)
    await stack.redis.restart()
    await waitFor('the gateway to be ready again', async () => (await fetch(`${stack.url}/readyz`)).status === 200)
    const job = await stack.api.settled(endpoint, id)
    expect(valueOf(job['output'])).toMatchObject({ value: 'kept' })
    expect(await stack.api.runsync(endpoint, sourceCall('echo', ECHO, { value: 1 }))).toMatchObject({ status: 'COMPLETED' })
  })

  test('a Python process that is killed during a job fails that job with a clear message, and the worker continues', async () => {
    const { endpoint } = await warm('killed-python')
    for (const victim of ['os.getpid()', 'os.getppid()']) {
      const id = await stack.api.run(endpoint, sourceCall('die', DIE.replace('VICTIM', victim)))
      const job = await stack.api.settled(endpoint, id)
      // The envelope contains the failure (sdk2-api §4.4).
      expect(JSON.stringify(job['output'] ?? job['error'])).toMatch(/kill|SIGKILL|signal 9/i)
      expect(await stack.api.runsync(endpoint, sourceCall('echo', ECHO, { value: victim }))).toMatchObject({ status: 'COMPLETED' })
    }
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ retried: 0, inQueue: 0, inProgress: 0 })
  })

  test('a running job that is cancelled stays cancelled, and its worker takes the next job', async () => {
    const { endpoint } = await warm('cancelled')
    const { id } = await startedJob(endpoint, nap(60, 'never'))
    const reply = await stack.api.request(`/v2/${endpoint}/cancel/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    expect(reply).toMatchObject({ status: 200, json: { id, status: 'CANCELLED' } })
    expect(await stack.api.runsync(endpoint, sourceCall('echo', ECHO, { value: 'next' }))).toMatchObject({ status: 'COMPLETED' })
    expect(await stack.api.status(endpoint, id)).toMatchObject({ status: 'CANCELLED' })
  })
}
