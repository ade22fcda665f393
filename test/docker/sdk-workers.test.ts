// Images with their own handler on the unmodified Runpod worker SDK run unchanged, without our agent (worker-api), as endpoints that `runpod`
// creates for them (management §4.2, sdk2-api §7.2).
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { runPython } from '../harness/python.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'

const SDK_VERSIONS = ['2.0.0rc2', '1.12.0', '1.7.13'] as const

for (const version of SDK_VERSIONS) {
  // 1.x manages over GraphQL, 2.0 over REST.
  const venv = version.startsWith('2') ? 'runpod-2.0' : 'runpod-1.12'
  await suiteThatNeeds(['redis', 'docker', 'worker-image', `venv:${venv}`], `a plain handler on the worker SDK ${version}`, () => {
    let stack: Stack
    let endpoint: string

    beforeAll(async () => {
      const image = await ensureHandlerImage(version)
      const settings = { RUNYARD_LEASE_PING_INTERVAL_S: '1' }
      stack = await startStack({ host: 'docker', simulatedGpus: 'NVIDIA RTX A4000:1', settings })
      const { found } = await runPython({ venv, program: 'runpod_create.py', args: ['handler', image], env: stack.env })
      endpoint = String(found['id'])
    }, 600_000)
    afterAll(async () => {
      await stack?.stop()
    })

    test('returns its result, with the SDK and the worker that ran it', async () => {
      const job = await stack.api.settled(endpoint, await stack.api.run(endpoint, { hello: 'world' }))
      expect(job).toMatchObject({ status: 'COMPLETED', output: { echo: { hello: 'world' }, worker: job['workerId'], id: job.id } })
      expect((job['output'] as { sdk: string }).sdk).toBe(version)
    })

    test('fails the job with a readable text after an exception or a returned error', async () => {
      const raised = await stack.api.settled(endpoint, await stack.api.run(endpoint, { raise: 'the cheese is gone' }))
      expect(raised).toMatchObject({ status: 'FAILED', error: expect.stringContaining('the cheese is gone') })
      const returned = await stack.api.settled(endpoint, await stack.api.run(endpoint, { error: 'no cheese today' }))
      expect(returned).toMatchObject({ status: 'FAILED', error: expect.stringContaining('no cheese today') })
    })

    test('shows a progress update while the job runs', async () => {
      const id = await stack.api.run(endpoint, { progress: 'half way', sleep: 5 })
      await waitFor('the progress to show', async () => {
        const job = await stack.api.status(endpoint, id)
        return job.status === 'IN_PROGRESS' && job['output'] === 'half way'
      })
      expect(await stack.api.settled(endpoint, id)).toMatchObject({ status: 'COMPLETED' })
    })

    test('streams each chunk of a generator once and aggregates them in its result', async () => {
      const image = await ensureHandlerImage(version)
      const generator = await stack.api.saveEndpoint({ name: 'generator', image, idleTimeout: 30, env: { HANDLER_KIND: 'generator' } })
      const id = await stack.api.run(generator, { count: 5 })
      const chunks: unknown[] = []
      await waitFor('the stream to end', async () => {
        const reply = await stack.api.get(`/v2/${generator}/stream/${id}`)
        const part = reply.json as { status: string; stream: { output: unknown }[] }
        chunks.push(...part.stream.map((chunk) => chunk.output))
        return part.status === 'COMPLETED'
      })
      const expected = [0, 1, 2, 3, 4].map((number) => ({ number }))
      expect(chunks).toEqual(expected)
      expect(await stack.api.status(generator, id)).toMatchObject({ status: 'COMPLETED', output: expected })
    })

    test('a running job can be cancelled', async () => {
      const id = await stack.api.run(endpoint, { sleep: 60 })
      await waitFor('the job to run', async () => (await stack.api.status(endpoint, id)).status === 'IN_PROGRESS')
      await stack.api.post(`/v2/${endpoint}/cancel/${id}`, {})
      expect(await stack.api.status(endpoint, id)).toMatchObject({ status: 'CANCELLED' })
    })

    test('loses the job to another worker when its worker is killed during the job', async () => {
      const image = await ensureHandlerImage(version)
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
  })
}

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
