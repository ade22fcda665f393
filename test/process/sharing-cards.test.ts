// One GPU, two and three endpoints: neither an idle timeout nor a long queue of one endpoint makes the other one wait (ADR 40).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { NAP, sourceCall } from '../suites/calls.ts'

const nap = (seconds: number) => sourceCall('nap', NAP, { seconds })

await suiteThatNeeds(['redis'], 'endpoints that share one GPU', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA GeForce RTX 4090:1' })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const whyGone = async (id: string) => {
    const { events } = (await stack.api.get(`/v2/serverless/${id}/events`)).json as { events: { kind: string; reason?: string }[] }
    return events.filter(({ kind }) => kind === 'worker_gone').map(({ reason }) => reason)
  }

  test('an idle worker yields to a job, a busy one yields after its job, and the long queue continues afterwards', async () => {
    // The idle timeouts are an hour, so only yielding frees the GPU.
    const card = { gpuIds: 'ADA_24', workersMax: 2, idleTimeout: 3600 }
    const hog = await stack.api.saveEndpoint({ name: 'hog', ...card })
    const late = await stack.api.saveEndpoint({ name: 'late', ...card })
    await stack.api.settled(hog, await stack.api.run(hog, nap(0)))
    await stack.api.settled(late, await stack.api.run(late, nap(0)))
    expect(await whyGone(hog)).toEqual(['yielded'])

    const queue = await Promise.all(Array.from({ length: 60 }, () => stack.api.run(hog, nap(0.2))))
    await stack.api.settled(hog, queue[0] ?? '')
    expect(await stack.api.settled(late, await stack.api.run(late, nap(0)))).toMatchObject({ status: 'COMPLETED' })
    expect(await stack.api.status(hog, queue.at(-1) ?? '')).toMatchObject({ status: 'IN_QUEUE' })

    const jobs = await Promise.all(queue.map((id) => stack.api.settled(hog, id)))
    expect(jobs.filter(({ status }) => status !== 'COMPLETED')).toEqual([])
    // None of the jobs was interrupted.
    expect((await stack.api.health(hog)).jobs.retried).toBe(0)
    expect(await whyGone(late)).toEqual(['yielded', 'yielded'])
  })

  test('jobs of three endpoints take the GPU one after another, while every idle timeout is an hour', async () => {
    const card = { gpuIds: 'ADA_24', workersMax: 3, idleTimeout: 3600 }
    const ids = await Promise.all(['first', 'second', 'third'].map((name) => stack.api.saveEndpoint({ name, ...card })))
    const runOnEach = async () => Promise.all(ids.map(async (id) => stack.api.settled(id, await stack.api.run(id, nap(0)))))

    expect(await runOnEach()).toMatchObject(ids.map(() => ({ status: 'COMPLETED' })))
    expect(await runOnEach()).toMatchObject(ids.map(() => ({ status: 'COMPLETED' })))
    // Six jobs on one GPU: every worker but the last one left for a job of another endpoint, and none was replaced in vain.
    const gone = (await Promise.all(ids.map(whyGone))).flat()
    expect(new Set(gone)).toEqual(new Set(['yielded']))
    expect(gone.length).toBeGreaterThanOrEqual(ids.length - 1)
    expect(gone.length).toBeLessThan(2 * ids.length)
  })
})
