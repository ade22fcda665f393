// Webhooks of the real stack: what the unmodified client receives, and what is delivered although gateways are killed (client-api §7, §13.19).
import { startReceiver, type Received, type Receiver } from '@runyard/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, sourceCall } from '../suites/calls.ts'

const SETTINGS = {
  RUNYARD_WEBHOOKS_ALLOW_PRIVATE: 'true',
  RUNYARD_WEBHOOKS_TIMEOUT_S: '2',
  RUNYARD_WEBHOOKS_RETRY_DELAYS_S: '2',
}

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'webhooks of two gateways', () => {
  let stack: Stack
  let endpoint: string
  let receiver: Receiver

  beforeAll(async () => {
    stack = await startStack({ host: 'process', gateways: 2, settings: SETTINGS })
    endpoint = await stack.api.saveEndpoint({ name: 'notified' })
  })
  afterEach(async () => {
    await receiver?.[Symbol.asyncDispose]()
  })
  afterAll(async () => {
    await stack?.stop()
  })

  /** A job that never runs and ends at once. */
  const endJob = async (): Promise<string> => {
    const paused = await stack.api.saveEndpoint({ name: 'paused', workersMax: 0 })
    const id = await stack.api.run(paused, 1, { webhook: receiver.url })
    await stack.api.post(`/v2/${paused}/cancel/${id}`, {})
    return id
  }
  const receivedOf = (id: string, count: number): Promise<readonly Received[]> =>
    waitFor(`${count} posts`, () => {
      const posts = receiver.received.filter(({ json }) => json['id'] === id)
      return posts.length < count ? undefined : posts
    })
  const eventsOf = (posts: readonly Received[]) => new Set(posts.map(({ headers }) => headers['webhook-id'])).size

  test('runpod 1.12 registers a webhook and receives its job, signed as documented', async () => {
    receiver = await startReceiver()
    const [secret = ''] = (await stack.api.get('/runyard/v1/webhooks/secrets')).json['secrets'] as string[]
    const input = sourceCall('echo', ECHO, { value: 'hello' })
    const args = [endpoint, JSON.stringify(input), secret]
    const { found } = await runPython({ venv: 'runpod-1.12', program: 'webhook_receiver.py', args, env: stack.env })
    const { jobId, output, webhook } = found
    expect(found['body']).toMatchObject({ id: jobId, status: 'COMPLETED', output, input, webhook, workerId: expect.any(String) })
    expect(found).toMatchObject({ isOurs: true, isOursWhenForged: false })
  })

  test('if all gateways are killed between two attempts, the next attempt follows when they are back', async () => {
    receiver = await startReceiver()
    receiver.answer = (response) => void response.writeHead(500).end()
    const id = await endJob()
    await receivedOf(id, 1)
    await Promise.all(stack.gateways.map((gateway) => gateway.kill()))
    receiver.answer = (response) => void response.writeHead(200).end()
    await Promise.all(stack.gateways.map((gateway) => gateway.start()))
    const posts = await receivedOf(id, 2)
    expect(eventsOf(posts)).toBe(1)
  })

  test('if a gateway is killed while it delivers, another one delivers after the lease', async () => {
    // Either gateway may deliver, so each is killed once.
    for (const gateway of stack.gateways) {
      receiver = await startReceiver()
      receiver.answer = () => undefined
      const id = await endJob()
      await receivedOf(id, 1)
      await gateway.kill()
      receiver.answer = (response) => void response.writeHead(200).end()
      const posts = await receivedOf(id, 2)
      expect(eventsOf(posts)).toBe(1)
      await gateway.start()
      await receiver[Symbol.asyncDispose]()
    }
  })
})
