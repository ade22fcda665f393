// OpenAI's own clients against the real gateway, with a worker on the unmodified SDK that yields like each generation of worker-vllm
// (client-api §13.22, worker-api §14.2). The test acts as the scaler.
import type { Store } from '@runyard/store'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runPython } from '../harness/python.ts'
import { startOwnStack, startSdkWorker, type SdkWorker } from '../harness/sdk-worker.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import type { Stack } from '../harness/stack.ts'
import type { VenvName } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'

const WORKERS = {
  current: { venv: 'runpod-1.12', kind: 'current' },
  'current-2.0': { venv: 'runpod-2.0', kind: 'current' },
  older: { venv: 'runpod-1.7.4', kind: 'older' },
  objects: { venv: 'runpod-1.7', kind: 'objects' },
  embeddings: { venv: 'runpod-1.12', kind: 'embeddings' },
} as const satisfies Record<string, { venv: VenvName; kind: string }>
type WorkerName = keyof typeof WORKERS
const TALKERS = ['current', 'current-2.0', 'older', 'objects'] as const

await suiteThatNeeds(
  ['redis', 'venv:openai', ...Object.values(WORKERS).map(({ venv }) => `venv:${venv}` as const)],
  'the official openai clients',
  () => {
    let stack: Stack
    let store: Store
    const scope = new AsyncDisposableStack()
    const endpoints = new Map<WorkerName, string>()

    beforeAll(async () => {
      ;({ stack, store } = scope.use(await startOwnStack()))
      const workers = Object.entries(WORKERS).map(async ([name, { venv, kind }]): Promise<SdkWorker> => {
        const endpointId = await stack.api.saveEndpoint({ name: name.replace('.', '-'), idleTimeout: 600 })
        endpoints.set(name as WorkerName, endpointId)
        return await startSdkWorker({ stack, store, endpointId, venv, program: 'vllm_worker.py', env: { WORKER_KIND: kind } })
      })
      for (const worker of await Promise.all(workers)) scope.use(worker)
    })
    afterAll(() => scope.disposeAsync())

    const baseOf = (name: WorkerName): string => `${stack.url}/v2/${endpoints.get(name)}/openai/v1`
    const clientOf = (name: WorkerName): OpenAI => new OpenAI({ baseURL: baseOf(name), apiKey: stack.key, maxRetries: 0, timeout: 180_000 })
    const asked = (content: string, model = 'parrot') => ({ model, messages: [{ role: 'user' as const, content }] })
    const words = Array.from({ length: 40 }, (_, n) => `word${n}`)

    describe.each(TALKERS)('of npm, with worker %s', (name) => {
      test('lists models and completes a chat', async () => {
        const client = clientOf(name)
        const ids: string[] = []
        for await (const model of client.models.list()) ids.push(model.id)
        expect(ids).toEqual(['parrot'])
        const { choices, usage } = await client.chat.completions.create(asked('polly wants a cracker'))
        expect([choices[0]?.message.content, usage?.total_tokens]).toEqual(['polly wants a cracker ', 3])
      })

      test('streams a chat, each part once and in order, to its end', async () => {
        const stream = await clientOf(name).chat.completions.create({ ...asked(words.join(' ')), stream: true })
        const parts: (string | null | undefined)[] = []
        for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content)
        expect(parts).toEqual(words.map((word) => `${word} `))
      })

      test('reads vLLM’s own error, streaming or not', async () => {
        const client = clientOf(name)
        const message = "404 The model `dodo` does not exist: it's gone."
        const error = { name: 'Error', status: 404, type: 'NotFoundError', param: 'model', code: 404, message }
        await expect(client.chat.completions.create(asked('x', 'dodo'))).rejects.toMatchObject(error)
        await expect(client.chat.completions.create({ ...asked('x', 'dodo'), stream: true })).rejects.toMatchObject(error)
      })
    })

    test('of npm gets embeddings and a flat error from a worker that is no generator', async () => {
      const client = clientOf('embeddings')
      const { data } = await client.embeddings.create({ model: 'parrot', input: ['a', 'bcd'], encoding_format: 'float' })
      expect(data.map(({ embedding }) => embedding)).toEqual([
        [1, 0.5],
        [3, 0.5],
      ])
      await expect(client.chat.completions.create(asked('x'))).rejects.toMatchObject({
        status: 400,
        message: '400 Invalid OpenAI Route: /v1/chat/completions',
      })
    })

    test('of npm, thirty streams at a time on one worker do not mix', async () => {
      const client = clientOf('current')
      const texts = await Promise.all(
        Array.from({ length: 30 }, async (_, n) => {
          const stream = await client.chat.completions.create({ ...asked(`parrot ${n} speaks`), stream: true })
          let text = ''
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
          return text
        }),
      )
      expect(texts).toEqual(texts.map((_, n) => `parrot ${n} speaks `))
    })

    test('of PyPI: models, chat, completions, streams, errors; closing a stream stops its job in the worker', async () => {
      const { found } = await runPython({
        venv: 'openai',
        program: 'openai_client.py',
        args: [baseOf('current'), stack.key],
        env: {},
      })
      const noModel = { type: 'NotFoundError', status: 404, body: { code: 404, param: 'model' } }
      expect(found).toMatchObject({
        models: ['parrot'],
        whole: 'polly wants a cracker ',
        requestId: expect.stringMatching(/^sync-/),
        streamed: ['polly ', 'wants ', 'a ', 'cracker ', 'and ', 'more ', 'of ', 'them '],
        helper: 'hello there ',
        completion: 'one two ',
        completionStreamed: 'one two ',
        noModel,
        noModelStreamed: noModel,
        crash: { type: 'APIError', text: expect.stringContaining('out of parrots') },
        wrongKey: { type: 'AuthenticationError', status: 401, body: { code: 'unauthorized', message: expect.any(String) } },
      })
      const left = String(found['left'])
      await waitFor('the worker to have stopped it', async () => {
        const reply = await stack.api.get(`/v2/${endpoints.get('current')}/openai/v1/stopped`)
        return (reply.json['stopped'] as string[]).includes(left)
      })
      expect(await stack.api.status(String(endpoints.get('current')), left)).toMatchObject({ status: 'CANCELLED' })
    })
  },
)
