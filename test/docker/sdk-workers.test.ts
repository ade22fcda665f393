// Images with their own handler on the unmodified Runpod worker SDK run unchanged, without our agent (worker-api), as endpoints that `runpod`
// creates for them (management §4.2, sdk2-api §7.2).
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { runPython } from '../harness/python.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'

/** 1.x manages over GraphQL, 2.0 over REST. */
const SDK_VERSIONS = [
  { version: '2.0.0rc2', venv: 'runpod-2.0' },
  { version: '1.12.0', venv: 'runpod-1.12' },
  { version: '1.7.13', venv: 'runpod-1.12' },
] as const
const [NEWEST] = SDK_VERSIONS

// What each version does with jobs is shown without Docker (`worker-sdks.test.ts`); here, that its image runs, and once how its containers end.
await suiteThatNeeds(
  ['redis', 'docker', 'worker-image', 'venv:runpod-2.0', 'venv:runpod-1.12'],
  'a plain handler in an image of its own',
  () => {
    let stack: Stack
    const endpoints = new Map<string, string>()

    beforeAll(async () => {
      const settings = { RUNYARD_LEASE_PING_INTERVAL_S: '1' }
      stack = await startStack({ host: 'docker', simulatedGpus: 'NVIDIA RTX A4000:3', settings })
      const create = async ({ version, venv }: (typeof SDK_VERSIONS)[number]): Promise<void> => {
        const args = [`handler-${version.replaceAll('.', '-')}`, await ensureHandlerImage(version)]
        const { found } = await runPython({ venv, program: 'runpod_create.py', args, env: stack.env })
        endpoints.set(version, String(found['id']))
      }
      await Promise.all(SDK_VERSIONS.map(create))
    }, 600_000)
    afterAll(async () => {
      await stack?.stop()
    })

    test.each(SDK_VERSIONS)('on the worker SDK $version returns results, and fails a job with a readable text', async ({ version }) => {
      const endpoint = endpoints.get(version) ?? ''
      const run = async (input: unknown) => stack.api.settled(endpoint, await stack.api.run(endpoint, input))
      const job = await run({ hello: 'world' })
      expect(job).toMatchObject({ status: 'COMPLETED', output: { echo: { hello: 'world' }, worker: job['workerId'], id: job.id } })
      expect((job['output'] as { sdk: string }).sdk).toBe(version)
      expect(await run({ raise: 'the cheese is gone' })).toMatchObject({
        status: 'FAILED',
        error: expect.stringContaining('the cheese is gone'),
      })
      expect(await run({ error: 'no cheese today' })).toMatchObject({ status: 'FAILED', error: expect.stringContaining('no cheese today') })
    })

    test('loses the job to another worker when its worker is killed during the job', async () => {
      const image = await ensureHandlerImage(NEWEST.version)
      const fragile = await stack.api.saveEndpoint({ name: 'fragile', image, idleTimeout: 30 })
      const warm = await stack.api.settled(fragile, await stack.api.run(fragile, {}))
      const first = String(warm['workerId'])
      const id = await stack.api.run(fragile, { hang_on: first })
      await waitFor('the job to run', async () => (await stack.api.status(fragile, id)).status === 'IN_PROGRESS')
      process.kill(await findWorkerPid('docker', first), 'SIGKILL')
      const job = await stack.api.settled(fragile, id)
      expect(job).toMatchObject({ status: 'COMPLETED' })
      expect(job['workerId']).not.toBe(first)
    })
  },
)

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'an image with settings of its own', () => {
  let stack: Stack
  let image: string

  beforeAll(async () => {
    image = await ensureHandlerImage('2.0.0rc2')
    stack = await startStack({ host: 'docker' })
  }, 600_000)
  afterAll(async () => {
    await stack?.stop()
  })

  test('starts with the entrypoint of its template over REST v1 (management §2.2)', async () => {
    const start = { dockerEntrypoint: ['sh', '-c'], dockerStartCmd: ['HANDLER_KIND=generator exec python3 -u /handler.py'] }
    const made = await stack.api.post('/v1/templates', { name: 'entered', imageName: image, isServerless: true, ...start })
    const entered = { name: 'entered', templateId: made.json['id'], computeType: 'CPU', workersMax: 1 }
    const endpoint = String((await stack.api.post('/v1/endpoints', entered)).json['id'])
    const job = await stack.api.settled(endpoint, await stack.api.run(endpoint, { count: 2 }))
    expect(job).toMatchObject({ status: 'COMPLETED', output: [{ number: 0 }, { number: 1 }] })
  })

  test('starts with a start command in JSON, which may contain an entrypoint (management §6.2)', async () => {
    const args = JSON.stringify({ entrypoint: ['sh', '-c'], cmd: ['HANDLER_KIND=generator exec python3 -u /handler.py'] })
    const scaling = { type: 'QUEUE_DELAY', queueDelay: 4 }
    const made = await stack.api.post('/v2/serverless', {
      name: 'json',
      type: 'QUEUE',
      image,
      args,
      cpu: [{ id: 'cpu3c', vcpuCount: 2 }],
      scaling,
    })
    expect(made.json).toMatchObject({ args })
    const endpoint = String(made.json['id'])
    const job = await stack.api.settled(endpoint, await stack.api.run(endpoint, { count: 2 }))
    expect(job).toMatchObject({ status: 'COMPLETED', output: [{ number: 0 }, { number: 1 }] })
  })

  test('is unhealthy when it reports itself unfit, with the reason in /health and in the status of its job', async () => {
    const endpoint = await stack.api.saveEndpoint({ name: 'unfit', image, env: { FITNESS: 'fails' } })
    const id = await stack.api.run(endpoint, {})
    // Unhealthy twice: first by its own report, then through the pause after the failed start, whose reason appears once the worker is removed.
    await vi.waitFor(
      async () =>
        expect((await stack.api.get(`/v2/${endpoint}/health`)).json).toMatchObject({
          workers: { unhealthy: 1 },
          reason: 'backing_off',
          message: expect.stringContaining('enough_cheese'),
        }),
      { timeout: 60_000, interval: 100 },
    )
    expect(await stack.api.status(endpoint, id)).toMatchObject({ status: 'IN_QUEUE' })
  })
})
