// One GPU, two and three endpoints: neither an idle timeout nor a long queue of one endpoint makes the other one wait (ADR 40), and endpoints with a memory
// budget use it together (ADR 61).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
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
    const { events } = await stack.api.read<{ events: { kind: string; reason?: string }[] }>(`/v2/serverless/${id}/events`)
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

  test('three endpoints with a third of its memory each work on it at once; a job that needs it alone waits for them, and gets it', async () => {
    const third = { gpuIds: 'ADA_24', idleTimeout: 3600, env: { RUNYARD_GPU_MEMORY_MIB: '8192' } }
    const ids = await Promise.all(['red', 'green', 'blue'].map((name) => stack.api.saveEndpoint({ name, ...third })))
    const jobs = await Promise.all(ids.map(async (id) => ({ id, job: await stack.api.run(id, nap(8)) })))
    const statuses = () => Promise.all(jobs.map(async ({ id, job }) => (await stack.api.status(id, job)).status))
    await waitFor('three jobs in progress', async () => (await statuses()).every((status) => status === 'IN_PROGRESS'))

    const whole = await stack.api.saveEndpoint({ name: 'whole', gpuIds: 'ADA_24', idleTimeout: 3600 })
    const alone = await stack.api.run(whole, nap(0))
    const explained = async () => (await stack.api.get(`/runyard/v1/explain/${whole}`)).text
    await waitFor('the reason why it waits', async () => (await explained()).includes('this endpoint needs it alone'))
    expect(await explained()).toContain('3 workers hold 24 GiB of its 24 GiB')
    // One that comes later has room only once the card is shared again.
    const late = await stack.api.saveEndpoint({ name: 'violet', ...third })
    const lateJob = await stack.api.run(late, nap(0))

    expect(await stack.api.settled(whole, alone)).toMatchObject({ status: 'COMPLETED' })
    expect(await statuses()).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED'])
    expect(await stack.api.settled(late, lateJob)).toMatchObject({ status: 'COMPLETED' })
    for (const id of ids) expect((await stack.api.health(id)).jobs.retried).toBe(0)
  })

  test('a budget that no worker can have is refused with a sentence', async () => {
    const save = (env: Record<string, string>) => stack.api.saveEndpoint({ name: 'wrong', gpuIds: 'ADA_24', env })
    await expect(save({ RUNYARD_GPU_MEMORY_MIB: '8 GB' })).rejects.toThrow('in MiB, such as 8000')
    const big = await stack.api.saveEndpoint({ name: 'big', gpuIds: 'ADA_24', env: { RUNYARD_GPU_MEMORY_MIB: '30000' } })
    const job = await stack.api.run(big, nap(0))
    const reason = async () => (await stack.api.get(`/v2/${big}/status/${job}`)).text
    await waitFor('the reason', async () =>
      (await reason()).includes('the budget of 29.3 GiB is more than any GPU of the requested types has'),
    )
  })
})
