// An operator's five questions, asked by the CLI of a stack in which things were broken on purpose. Is it healthy? Why does this job wait? What does each card
// do, and what did it do? Who used it, and what did it cost? What failed, and why? The answers are compared with what was done.
import type { JobDetailView, TimelineView, UsageView, WorkerLifeListView } from '@runyard/schema/api'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runCli } from '../harness/cli.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { ECHO, NAP, sourceCall, valueOf } from '../suites/calls.ts'

const CARD = 'NVIDIA GeForce RTX 4090'
const PATIENCE = { timeoutMs: 120_000 }
vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 })

const SLOW = `
def slow():
    import time
    print("the cheese is late", flush=True)
    time.sleep(600)
`

/** Both parts are killed while these run. */
const UNDER_LOAD = 40

await suiteThatNeeds(['redis'], 'the five questions of an operator', () => {
  let stack: Stack
  let caption: string
  let failed: string
  let lost: string
  let napping: string
  const cli = (...words: readonly string[]) => runCli(words, stack.env)
  const asked = async <T>(...words: readonly string[]): Promise<T> => JSON.parse((await cli(...words, '--json')).stdout) as T
  const ended = (endpoint: string, id: string) => stack.api.settled(endpoint, id)

  /** What is broken: a function that takes too long, a worker that is killed, a job that no card fits, a card that another endpoint holds. */
  beforeAll(async () => {
    stack = await startStack({
      host: 'process',
      simulatedGpus: `${CARD}:1`,
      settings: {
        RUNYARD_LEASE_BUDGET: '0',
        RUNYARD_PRICES_CURRENCY: 'EUR',
        RUNYARD_PRICES_GPU_PER_HOUR: JSON.stringify({ [CARD]: 3600 }),
      },
    })
    caption = await stack.api.saveEndpoint({ name: 'caption', gpuIds: 'ADA_24', workersMax: 1, idleTimeout: 300 })
    await stack.api.runsync(caption, sourceCall('echo', ECHO, { value: 1 }))
    failed = await stack.api.run(caption, sourceCall('slow', SLOW), { policy: { executionTimeout: 5000 } })
    await ended(caption, failed)
    lost = await stack.api.run(caption, sourceCall('nap', NAP, { seconds: 600 }))
    const workerId = await waitFor('the job to run', async () => (await stack.api.status(caption, lost)).workerId)
    process.kill(await findWorkerPid('process', workerId), 'SIGKILL')
    await ended(caption, lost)
    napping = await stack.api.run(caption, sourceCall('nap', NAP, { seconds: 600 }))
    await waitFor('the next job to run', async () => (await stack.api.status(caption, napping)).status === 'IN_PROGRESS', PATIENCE)
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test('is it healthy: fine, until something waits that will not end by itself', async () => {
    expect((await cli('status', '--exit-code')).stdout).toMatch(
      /^cards: 1 held · Redis up .*\nfine · 1 job run, 0 wait · 1 worker busy, 0 idle$/mu,
    )
    await stack.api.run(
      await stack.api.saveEndpoint({ name: 'upscale', gpuIds: 'AMPERE_24,-NVIDIA RTX A5000,-NVIDIA GeForce RTX 3090' }),
      sourceCall('echo', ECHO),
    )
    const status = await waitFor('the refusal', async () => {
      const now = await cli('status', '--exit-code')
      return now.code === 0 ? undefined : now
    })
    expect(status.code).toBe(3)
    expect(status.stdout).toMatch(/1 problem .*\n✗ upscale: .*NVIDIA L4/u)
  })

  test('why does this job wait: no card of its type, or another endpoint has it', async () => {
    const picky = await cli('explain', 'upscale')
    expect(picky.stdout).toContain('(no_matching_gpu)')
    expect(picky.stdout).toMatch(/wanted +NVIDIA L4\n/u)
    expect(picky.stdout).toMatch(new RegExp(`what would change it\\n {2}- ask for "${CARD}", too\\n$`, 'u'))
    const second = await stack.api.saveEndpoint({ name: 'second', gpuIds: 'ADA_24' })
    const id = await stack.api.run(second, sourceCall('echo', ECHO))
    const text = await waitFor('the reason', async () => {
      const { stdout } = await cli('explain', id)
      return stdout.includes('gpus_busy') ? stdout : undefined
    })
    expect(text).toMatch(/0 NVIDIA GeForce RTX 4090 \(simulated\) +worker \w+ of endpoint "caption" holds it/u)
    const [row] = await asked<readonly { readonly id: string; readonly reason: string }[]>('jobs', 'second')
    expect(row).toMatchObject({ id, reason: 'gpus_busy' })
    await cli('cancel', '--endpoint', 'second', '--yes')
    await cli('cancel', '--endpoint', 'upscale', '--yes')
  })

  test('what does each card do, and what did it do', async () => {
    expect((await cli('gpus')).stdout).toMatch(/RTX 4090.* caption/u)
    const { workers } = await stack.api.read<WorkerLifeListView>('/runyard/v1/workers?endpoint=caption')
    const [now, before] = workers
    // It yields its card to the jobs of the others when its own has ended.
    expect(now).toMatchObject({ phase: expect.stringMatching(/^(?:busy|draining)$/u), gpus: [{ name: CARD, simulated: true }] })
    expect(before).toMatchObject({ phase: 'gone', endReason: 'exited', jobs: 3, failed: 2, gpus: now?.gpus })
    const { lanes } = await stack.api.read<TimelineView>('/runyard/v1/timeline?px=600')
    expect(new Set(lanes[0]?.workers?.map(({ id }) => id))).toEqual(new Set([now?.id, before?.id]))
    expect(
      lanes[0]?.jobs
        ?.filter(({ status }) => status === 'FAILED')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([failed, lost].toSorted())
    expect(lanes[0]?.phases).toContain('b')
  })

  test('who used it, and what did it cost: the seconds of the card at its price, by endpoint and key', async () => {
    const usage = await asked<UsageView>('usage', '--by', 'endpoint,key,gpu')
    const [line, ...others] = usage.usage
    expect(others).toEqual([])
    expect(line).toMatchObject({ endpointName: 'caption', keyName: expect.any(String), gpuType: CARD })
    expect(line?.cost).toBe(line?.gpuSeconds)
    expect((await cli('usage')).stdout).toMatch(/caption +RTX 4090 +running .* EUR|EUR[^]*caption +RTX 4090 +running/u)
  })

  test('what failed, and why: a function that took too long, and a worker that was killed', async () => {
    const rows = await asked<readonly { readonly id: string; readonly error: string }[]>('jobs', 'caption', '--status', 'failed')
    expect(rows.map(({ id }) => id)).toEqual([lost, failed])
    expect(rows.map(({ error }) => error)).toEqual([
      expect.stringMatching(/^the worker of the job was lost once: worker \w+ was lost: the worker’s process ended/u),
      'executionTimeout exceeded',
    ])
    const shown = await asked<JobDetailView>('job', 'show', lost)
    expect(shown.attempts).toHaveLength(1)
    const { stdout } = await cli('job', 'show', failed)
    expect(stdout).toMatch(/executionTimeout exceeded[^]*the cheese is late/u)
    expect(stdout).not.toContain('timed out')
  })

  test('killed under load, gateway and scaler lose no job, nor does Redis, and of the history less than a minute', async () => {
    await cli('cancel', napping)
    const ids: string[] = []
    const submit = async (count: number) => {
      for (let job = 0; job < count; job += 1) ids.push(await stack.api.run(caption, sourceCall('echo', ECHO, { value: ids.length })))
    }
    const listed = async () => (await asked<readonly { readonly id: string }[]>('jobs', 'caption', '--limit', '200')).map(({ id }) => id)
    await submit(UNDER_LOAD / 2)
    await waitFor('the first of them to be remembered', async () => (await listed()).includes(ids[0] ?? ''))
    const before = await listed()
    const killedAt = Date.now()
    await Promise.all([stack.gateway.kill(), stack.scaler.kill()])
    await Promise.all([stack.gateway.start(), stack.scaler.start()])
    await submit(UNDER_LOAD / 2)
    const jobs = await Promise.all(ids.map((id) => ended(caption, id)))
    // Here a lost attempt is a job's last one, and of one worker one job may have been on its way when its gateway was killed.
    const onItsWay = jobs.filter(({ status }) => status === 'FAILED')
    expect(onItsWay.map(({ error }) => String(error))).toEqual(onItsWay.slice(0, 1).map(() => expect.stringContaining('worker lost once')))
    const values = jobs.map(({ status, output }, at) => (status === 'FAILED' ? at : valueOf(output)['value']))
    expect(values).toEqual(ids.map((_, value) => value))
    const known = await asked<readonly { readonly id: string }[]>('jobs', 'caption', '--status', 'done', '--limit', '200')
    // A gateway that is killed takes what ended just before with it, of the history alone.
    const missing = ids.filter((id) => !known.some((job) => job.id === id))
    const shown = await Promise.all(missing.map((id) => asked<JobDetailView>('job', 'show', id)))
    for (const { endedAt = 0 } of shown) expect(killedAt - endedAt).toBeLessThan(60_000)
    expect(ids.slice(UNDER_LOAD / 2).filter((id) => missing.includes(id))).toEqual([])
    const after = await listed()
    expect(before.filter((id) => !after.includes(id) && !ids.includes(id))).toEqual([])
    await stack.redis.kill('at once')
    await stack.redis.restart()
    const done = () => stack.api.get(`/runyard/v1/jobs?endpoint=caption&status=COMPLETED&limit=200`)
    await expect.poll(async () => ((await done()).json['jobs'] as unknown[] | undefined)?.length, { timeout: 60_000 }).toBe(known.length)
  })
})
