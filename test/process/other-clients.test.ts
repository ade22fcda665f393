// Unmodified third-party programs that call queue endpoints: the AI SDK with Runpod's provider, whose image model parses every response with a
// strict schema (client-api R13, R14, §11.6), and Runpod's MCP server. docs/clients.md lists what else was tried by hand. The test acts as the
// scaler.
import { createRunpod } from '@runpod/ai-sdk-provider'
import type { Store } from '@runyard/store'
import { generateImage, generateText, streamText } from 'ai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startMcp, type Mcp } from '../harness/mcp.ts'
import { startOwnStack, startSdkWorker } from '../harness/sdk-worker.ts'
import type { Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'third-party programs', () => {
  let stack: Stack
  let store: Store
  let images: string
  let texts: string
  /** Without workers, so its jobs wait. */
  let closed: string
  let mcp: Mcp
  const scope = new AsyncDisposableStack()

  beforeAll(async () => {
    ;({ stack, store } = scope.use(await startOwnStack({ settings: { RUNYARD_HOLDS_RUNSYNC_S: '2' } })))
    images = await stack.api.saveEndpoint({ name: 'images', idleTimeout: 600 })
    texts = await stack.api.saveEndpoint({ name: 'texts', idleTimeout: 600 })
    closed = await stack.api.saveEndpoint({ name: 'closed', workersMax: 0 })
    mcp = scope.use(await startMcp(stack))
    const worker = { stack, store, venv: 'runpod-1.12' } as const
    scope.use(await startSdkWorker({ ...worker, endpointId: images, program: 'image_worker.py' }))
    scope.use(await startSdkWorker({ ...worker, endpointId: texts, program: 'vllm_worker.py', env: { WORKER_KIND: 'current' } }))
  })
  afterAll(() => scope.disposeAsync())

  const providerOf = (path: string) => createRunpod({ apiKey: stack.key, baseURL: `${stack.url}/v2/${path}` })

  test('the AI SDK generates and streams text, and reads a rejection', async () => {
    const provider = providerOf(`${texts}/openai/v1`)
    const whole = await generateText({ model: provider('parrot'), prompt: 'polly wants a cracker' })
    expect([whole.text, whole.finishReason, whole.usage.totalTokens]).toEqual(['polly wants a cracker ', 'stop', 3])
    const streamed = await Array.fromAsync(streamText({ model: provider('parrot'), prompt: 'polly wants more' }).textStream)
    expect(streamed).toEqual(['polly ', 'wants ', 'more '])
    const refused = generateText({ model: provider('dodo'), prompt: 'polly', maxRetries: 0 })
    await expect(refused).rejects.toMatchObject({ statusCode: 404, message: "The model `dodo` does not exist: it's gone." })
  })

  test('the AI SDK gets an image at once, one after polling, and an error that was an object', async () => {
    const model = providerOf(images).image('any/model')
    const draw = (prompt: string, more = {}) =>
      generateImage({
        model,
        prompt,
        maxRetries: 0,
        providerOptions: { runpod: { ...more, pollIntervalMillis: 300, maxPollAttempts: 300 } },
      })
    expect((await draw('a parrot')).image.base64).toBe('iVBORw0KGgo=')
    // Longer than the hold of /runsync here.
    expect((await draw('a slow parrot', { sleep: 3 })).image.mediaType).toBe('image/png')
    await expect(draw('nothing')).rejects.toThrow('{"message":"there is nothing to draw"}')
  })

  test('Runpod’s MCP server submits, waits, streams, cancels, purges and reads status', async () => {
    const input = { prompt: 'a parrot' }
    const picture = { status: 'COMPLETED', output: { image_url: expect.stringContaining('data:image/png') as unknown } }
    expect(await mcp.call('runsync-endpoint', { endpointId: images, input, wait: 60_000 })).toMatchObject(picture)
    const early = await mcp.call('runsync-endpoint', { endpointId: images, input: { ...input, sleep: 20 }, wait: 1000 })
    expect(early).toMatchObject({ id: expect.stringMatching(/^sync-/) as unknown, status: expect.stringMatching(/^IN_/) as unknown })
    const run = await mcp.call('run-endpoint', { endpointId: images, input, policy: { executionTimeout: 60_000, lowPriority: false } })
    expect(run).toEqual({ id: expect.any(String), status: 'IN_QUEUE' })
    expect(await mcp.call('get-job-status', { endpointId: images, jobId: run['id'], wait: 60_000 })).toMatchObject(picture)
    const chat = { openai_route: '/v1/chat/completions', openai_input: { stream: true, messages: [{ role: 'user', content: 'polly' }] } }
    const talk = await mcp.call('run-endpoint', { endpointId: texts, input: chat })
    const { status, stream } = await mcp.call('stream-job', { endpointId: texts, jobId: talk['id'] })
    const said = (stream as { output: string }[]).map(({ output }) => output).join('')
    expect([status, said]).toEqual(['COMPLETED', expect.stringMatching(/"polly ".*\[DONE\]/s)])
    const waiting = await mcp.call('run-endpoint', { endpointId: closed, input })
    expect(await mcp.call('cancel-job', { endpointId: closed, jobId: waiting['id'] })).toEqual({ id: waiting['id'], status: 'CANCELLED' })
    await mcp.call('run-endpoint', { endpointId: closed, input })
    expect(await mcp.call('purge-endpoint-queue', { endpointId: closed })).toEqual({ removed: 1, status: 'completed' })
    expect(await mcp.call('endpoint-health', { endpointId: closed })).toMatchObject({
      jobs: { inQueue: 0 },
      workers: { idle: 0, unhealthy: 0 },
    })
    expect(await mcp.call('get-job-status', { endpointId: closed, jobId: 'nope-1' })).toMatchObject({
      detail: { error: 'job not found: nope-1' },
    })
  })

  test('Runpod’s MCP server creates, lists and deletes an endpoint', async () => {
    const shape = { gpu: { pools: ['ADA_24'] }, workers: { min: 0, max: 1 }, scaling: { type: 'QUEUE_DELAY', queueDelay: 4 } }
    const made = await mcp.call('create-endpoint', { body: { name: 'made', type: 'QUEUE', image: 'me/worker:1', ...shape } })
    expect(made).toMatchObject({ name: 'made', image: 'me/worker:1' })
    const { items } = await mcp.call('list-endpoints', {})
    expect(items).toContainEqual(expect.objectContaining({ id: made['id'] }))
    expect(await mcp.call('delete-endpoint', { id: made['id'] })).toEqual({ status: 204 })
  })

  // Last, because a retry needs another worker, and there is none.
  test('Runpod’s MCP server gets the error text of a failure, and retries the job', async () => {
    const failed = await mcp.call('runsync-endpoint', { endpointId: images, input: { prompt: 'nothing' }, wait: 60_000 })
    expect(failed).toMatchObject({ status: 'FAILED', error: '{"message":"there is nothing to draw"}' })
    expect(await mcp.call('retry-job', { endpointId: images, jobId: failed['id'] })).toEqual({ id: failed['id'], status: 'IN_QUEUE' })
  })
})
