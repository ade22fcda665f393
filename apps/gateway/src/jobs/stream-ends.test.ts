// A stream that ends badly ends with a failure, never with silence and never as if it were whole. This holds for a reader of `/stream`, who asks again until it
// has an end, and for a reader of OpenAI's events. The scaler's part in it is played by the store's own functions.
import { once } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const DAY_MS = 86_400_000
const startGateway = useGateways()
let gateway: TestGateway
let other: TestGateway
let ep: string
let worker: TestWorker

beforeEach(async () => {
  const prefix = `ends${Math.random()}`
  gateway = await startGateway({}, { prefix })
  other = await startGateway({}, { prefix })
  ep = (await gateway.addEndpoint()).id
  worker = await gateway.addWorker(ep)
  return () => Promise.all([gateway[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
})

const posted = (jobId: string, body: string) => worker.stream(jobId, body)

interface Way {
  readonly how: string
  readonly end: (jobId: string) => Promise<unknown>
  /** What both readers get. */
  readonly reason: RegExp
}

const WAYS: readonly Way[] = [
  { how: 'its generator raises', end: (id) => worker.done(id, { error: 'handler: the cheese is gone' }), reason: /the cheese is gone/ },
  { how: 'its job is cancelled', end: (id) => gateway.call(`/v2/${ep}/cancel/${id}`, { method: 'POST' }), reason: /cancelled/ },
  {
    how: 'its job takes too long',
    end: (jobId) => gateway.store.jobs.forceSettle(ep, jobId, { status: 'FAILED', error: 'executionTimeout exceeded' }),
    reason: /executionTimeout exceeded/,
  },
  {
    how: 'its ttl is over',
    end: () => gateway.store.jobs.sweepExpired(ep, Date.now() + 2 * DAY_MS),
    reason: /deleted by its ttl|time to live/,
  },
  {
    how: 'its worker is lost, and the budget is spent',
    end: (jobId) =>
      gateway.store.jobs.takeBack({ endpointId: ep, jobId, workerId: worker.id }, { budget: 0, evidence: 'killed by SIGKILL' }),
    reason: /killed by SIGKILL/,
  },
  {
    how: 'its worker posts a result that is not JSON',
    end: (id) => worker.done(id, '{"output": <generator object>}'),
    reason: /not JSON/,
  },
  { how: 'its endpoint is deleted', end: () => gateway.store.endpoints.delete(ep), reason: /cancelled|deleted|not found/ },
]

describe.each(WAYS)('a stream that ends because $how', ({ end, reason }) => {
  it('is over for a reader of /stream, after all that was said', async () => {
    const id = await worker.startJob()
    const reader = read(id)
    await posted(id, '{"output":"one"}')
    await expect.poll(reader.outputs).toEqual(['one'])
    await end(id)
    const { status, error } = await reader.ended
    expect(status).not.toBe('COMPLETED')
    expect(error).toMatch(reason)
    expect(reader.outputs()).toEqual(['one'])
  })

  it('ends OpenAI’s events with an error', async () => {
    const answer = gateway.call(`/v2/${ep}/openai/v1/chat/completions`, { method: 'POST', body: { stream: true } })
    const job = await worker.take()
    await posted(String(job?.id), '{"output":"data: 1\\n\\n"}')
    await end(String(job?.id))
    const { text } = await answer
    expect(text).toMatch(/"error":\{"message":"/)
    expect(text).toMatch(reason)
    expect(text).not.toContain('[DONE]')
  })
})

it('a part that is not JSON fails the job, since the stream would have a hole that no reader sees', async () => {
  const id = await worker.startJob()
  await posted(id, '{"output":"one"}')
  await posted(id, '{"output": <generator object>}')
  await worker.done(id, { output: [] })
  const reader = read(id)
  expect(await reader.ended).toEqual({ status: 'FAILED', error: expect.stringContaining('not JSON') as string })
  expect(reader.outputs()).toEqual(['one'])
})

it('a failure comes alone, as SDK 2.0 raises before it looks at what stands beside it', async () => {
  const id = await worker.startJob()
  await posted(id, '{"output":"last words"}')
  await worker.done(id, { error: 'boom' })
  const ask = async () => (await gateway.call(`/v2/${ep}/stream/${id}`)).json
  expect(await ask()).toEqual({ status: 'IN_PROGRESS', stream: [{ output: 'last words' }] })
  expect(await ask()).toEqual({ status: 'FAILED', error: 'boom', stream: [] })
})

describe('a gateway that stops while a job streams', () => {
  it('answers the reader of /stream, who goes on at another one to the end', async () => {
    const id = await worker.startJob()
    await posted(id, '{"output":"one"}')
    await gateway.call(`/v2/${ep}/stream/${id}`)
    const asked = once(gateway.apps.publicApp.server, 'request')
    const held = gateway.call(`/v2/${ep}/stream/${id}?wait=60000`)
    await asked
    await gateway[Symbol.asyncDispose]()
    expect((await held).json).not.toMatchObject({ status: 'COMPLETED' })
    const next = other.call(`/v2/${ep}/stream/${id}?wait=60000`)
    await other.store.jobs.forceSettle(ep, id, { status: 'FAILED', error: 'its worker ended' })
    expect((await next).json).toEqual({ status: 'FAILED', error: 'its worker ended', stream: [] })
  })

  it('ends OpenAI’s events with an error, and cancels the job', async () => {
    const answer = gateway.call(`/v2/${ep}/openai/v1/chat/completions`, { method: 'POST', body: { stream: true } })
    const id = String((await worker.take())?.id)
    await posted(id, '{"output":"data: 1\\n\\n"}')
    await gateway[Symbol.asyncDispose]()
    expect((await answer).text).toMatch(/^data: 1\n\ndata: \{"error":\{"message":"the gateway stops/)
    expect((await other.store.jobs.get(ep, id))?.status).toBe('CANCELLED')
  })
})

/** As the clients do: asks again until there is an end. A refusal is one, too. */
function read(id: string) {
  const outputs: unknown[] = []
  const follow = async (): Promise<{ status: string; error: string }> => {
    for (;;) {
      const answer = await gateway.call(`/v2/${ep}/stream/${id}?wait=30000`)
      if (answer.status !== 200) return { status: String(answer.status), error: String(answer.json['error']) }
      const { status, stream, error } = answer.as<{ status: string; stream: { output: unknown }[]; error?: string }>()
      outputs.push(...stream.map(({ output }) => output))
      if (status !== 'IN_PROGRESS' && status !== 'IN_QUEUE') return { status, error: error ?? 'silence' }
    }
  }
  return { ended: follow(), outputs: () => outputs }
}
