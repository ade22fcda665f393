// The life of images on a real engine with a real registry (ADR 59).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tryCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { startFastAlerts } from '../harness/fast-alerts.ts'
import { createEndpointOf, startImageRegistry, type ImageRegistry } from '../harness/image-registry.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

await suiteThatNeeds(['redis', 'docker', 'image-registry', 'promtool'], 'images on an engine', () => {
  let stack: Stack
  let registry: ImageRegistry
  let registryId: string
  let lowStack: Stack | undefined
  beforeAll(async () => {
    registry = await startImageRegistry()
    stack = await startStack({ host: 'docker' })
    const reply = await stack.api.post('/v2/registries', { name: 'mine', username: registry.username, password: registry.password })
    registryId = String(reply.json['id'])
  })
  afterAll(async () => {
    await lowStack?.stop()
    await stack?.stop()
    await registry?.[Symbol.asyncDispose]()
  })

  const create = (name: string, image: string): Promise<string> => createEndpointOf(stack.api, image, { name, registryId })
  const isThere = async (image: string): Promise<boolean> => (await tryCommand('docker', ['image', 'inspect', image])).code === 0
  const eventsOf = async (id: string) =>
    (await stack.api.get(`/v2/serverless/${id}/events`)).json['events'] as { kind: string; message?: string }[]

  test('saving an endpoint pulls its image, so that the first start finds it', async () => {
    const image = await registry.push('early/first:1')
    expect(await isThere(image)).toBe(false)
    const id = await create('early', image)
    await waitFor('the image to be on the engine', () => isThere(image), { timeoutMs: 60_000 })
    await waitFor('the pull to be in the history', async () => (await eventsOf(id)).some(({ kind }) => kind === 'image_pulled'))
    expect(await stack.api.health(id)).toMatchObject({ workers: { initializing: 0, running: 0 } })
    expect(await stack.api.settled(id, await stack.api.run(id, {}))).toMatchObject({ status: 'COMPLETED' })
    const kinds = (await eventsOf(id)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'image_pulled')).toHaveLength(1)
  })

  test('an image that no registry has is reported before a job asks for it', async () => {
    const image = (await registry.push('early/second:1')).replace(/:1$/, ':2')
    const id = await create('missing', image)
    await expect
      .poll(() => stack.api.health(id), { timeout: 60_000 })
      .toMatchObject({ reason: 'image_missing', images: [{ image, state: 'failed', nextTryAt: expect.any(String) }] })
    const { stdout } = await runCli(['status'], stack.env)
    expect(stdout).toContain(`The image ${image} is not on this host and cannot be pulled`)
  })

  test('a disk that is too full for a pull makes the job wait with a sentence, what is there runs, and an alert fires', async () => {
    lowStack = await startStack({ host: 'docker', settings: { RUNYARD_IMAGES_KEEP_FREE_BYTES: '1000000000000000' } })
    const { api, env, scaler } = lowStack
    await using prometheus = await startFastAlerts([new URL(lowStack.url).host])
    const image = await registry.push('early/third:1')
    const id = await api.saveEndpoint({ name: 'full', image })
    const jobId = await api.run(id, {})
    await expect.poll(() => api.status(id, jobId), { timeout: 60_000 }).toMatchObject({ queueReason: 'not_enough_disk' })
    expect(await api.health(id)).toMatchObject({
      message: expect.stringMatching(/are free on the disk of .*, and images\.keepFreeBytes keeps 1000000\.0 GB free/u),
    })
    expect((await runCli(['explain', 'full'], env)).stdout).toContain(`does not have the image ${image} and does not pull it`)
    expect(await isThere(image)).toBe(false)
    const own = await api.saveEndpoint({ name: 'own' })
    await waitFor('a worker of the default image', async () => (await api.run(own, {}), (await api.workersSeen(own)) > 0), {
      timeoutMs: 60_000,
    })
    await prometheus.fires('RunyardDiskLow')
    await scaler.child().stop(60_000)
    await using undo = new AsyncDisposableStack()
    const content = lowStack.anotherScaler({ RUNYARD_IMAGES_KEEP_FREE_BYTES: '0' })
    await content.start()
    undo.defer(() => content.child().stop(60_000))
    await prometheus.clear(['RunyardDiskLow'])
  })
})
