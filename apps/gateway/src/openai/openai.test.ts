// `/openai/*` against real sockets and a real Redis, with workers that post what worker-vllm posts (client-api §5.12, worker-api §14).
import { request as httpRequest } from 'node:http'
import { type Answer, createSend } from '@runyard/testing'
import { toJson } from '@runyard/schema'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const POLL = { timeout: 20_000 }
const startGateway = useGateways()
let gateway: TestGateway
let other: TestGateway
let ep: string
let worker: TestWorker

beforeAll(async () => {
  gateway = await startGateway({ limits: { runsyncBytes: 100_000 } }, { prefix: 'openai' })
  other = await startGateway({}, { prefix: 'openai' })
})

beforeEach(async () => {
  ep = (await gateway.addEndpoint()).id
  worker = await gateway.addWorker(ep)
})

const CHAT = '/v1/chat/completions'
const ask = (body: unknown, path = CHAT, method = 'POST'): Promise<Answer> =>
  gateway.call(`/v2/${ep}/openai${path}`, { method, ...(method === 'GET' ? {} : { body }) })
const streamed = (extra: Record<string, unknown> = {}): Promise<Answer> => ask({ stream: true, ...extra })

const post = (jobId: string, value: unknown, send = worker.send): Promise<Answer> =>
  send(`/v2/${ep}/job-stream/${worker.id}/${jobId}?isStream=false`, { method: 'POST', body: { output: value } })

async function take(): Promise<{ id: string; input: unknown }> {
  const job = await worker.take()
  if (job === undefined) throw new Error('no job came')
  return job
}

/** One worker's whole part in a request: its chunks, then its result. */
async function serve(chunks: readonly unknown[], result: unknown = { output: chunks }): Promise<string> {
  const { id } = await take()
  for (const chunk of chunks) await post(id, chunk)
  await worker.done(id, result)
  return id
}

/** A client that sees each piece of the body when it arrives. */
function openStream(base = gateway.publicUrl, body: unknown = { stream: true }) {
  const pieces: string[] = []
  const head = Promise.withResolvers<{ status: number | undefined; type: string | undefined }>()
  const ended = Promise.withResolvers<void>()
  const headers = { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' }
  const request = httpRequest(`${base}/v2/${ep}/openai${CHAT}`, { method: 'POST', headers }, (response) => {
    head.resolve({ status: response.statusCode, type: response.headers['content-type'] })
    response.on('data', (piece: Buffer) => pieces.push(piece.toString()))
    response.on('error', () => ended.resolve())
    response.on('end', () => ended.resolve())
  })
  request.on('error', () => ended.resolve())
  request.end(JSON.stringify(body))
  return { head: head.promise, ended: ended.promise, text: () => pieces.join(''), hangUp: () => request.destroy() }
}

describe('the job that a request becomes', () => {
  it.each([
    [
      'POST',
      '/v1/chat/completions',
      { model: 'm', messages: [] },
      { openai_route: '/v1/chat/completions', openai_input: { model: 'm', messages: [] } },
    ],
    ['POST', '/v1/responses?a=b/c', { model: 'm' }, { openai_route: '/v1/responses?a=b/c', openai_input: { model: 'm' } }],
    ['GET', '/v1/models', {}, { openai_route: '/v1/models', openai_input: {} }],
    ['GET', '/v1/models/org%2Fname?limit=2', {}, { openai_route: '/v1/models/org%2Fname?limit=2', openai_input: {} }],
    ['POST', '/v1/responses/r1/cancel', undefined, { route: '/v1/responses/r1/cancel', method: 'POST' }],
    ['DELETE', '/v1/responses/r1', undefined, { route: '/v1/responses/r1', method: 'DELETE' }],
  ])('%s %s', async (method, path, body, input) => {
    const answer = ask(body, path, method)
    const job = await take()
    expect(job.input).toEqual(input)
    await worker.done(job.id, { output: [{ ok: true }] })
    expect((await answer).json).toEqual({ ok: true })
  })
})

describe('a request without a stream', () => {
  it.each([
    ['one object from a generator', { output: [{ object: 'list', data: [] }] }, { object: 'list', data: [] }],
    ['a bare object from a plain handler', { output: { object: 'list', data: [1] } }, { object: 'list', data: [1] }],
    ['several objects', { output: [{ a: 1 }, { a: 2 }] }, [{ a: 1 }, { a: 2 }]],
    ['pieces of one JSON text', { output: ['{"a"', ':1}'] }, { a: 1 }],
  ])('is answered with %s', async (_, result, body) => {
    const answer = ask({ model: 'm' })
    await serve([], result)
    const { status, headers, json } = await answer
    expect([status, headers.get('content-type'), json]).toEqual([200, expect.stringMatching(/^application\/json/), body])
  })

  it('is answered with text where the worker yields text', async () => {
    const answer = ask({}, '/metrics', 'GET')
    await serve([], { output: ['# HELP x\n', 'x 1\n'] })
    const { headers, text } = await answer
    expect([headers.get('content-type'), text]).toEqual(['text/plain; charset=utf-8', '# HELP x\nx 1\n'])
  })

  it('is answered with the chunks of a generator that aggregates nothing, and names its job', async () => {
    const answer = ask({ model: 'm' })
    const id = await serve([{ id: 'cmpl' }], { output: [] })
    const { headers, json } = await answer
    expect([headers.get('x-request-id'), json]).toEqual([id, { id: 'cmpl' }])
  })

  it('is refused rather than cut where its chunks are more than one answer holds', { timeout: 60_000 }, async () => {
    const answer = ask({ model: 'm' })
    const { id } = await take()
    const chunk = toJson({ output: 'x' })
    for (let at = 0; at <= 10_000; at += 100) {
      await Promise.all(
        Array.from({ length: 100 }, () => gateway.store.jobs.appendChunk({ endpointId: ep, jobId: id, workerId: worker.id, chunk })),
      )
    }
    await worker.done(id, { output: [] })
    const { status, json } = await answer
    expect([status, json['error']]).toMatchObject([422, { message: expect.stringContaining('"stream": true') }])
  })
})

const vllm404 = { error: { message: "The model `it's` does not exist.", type: 'NotFoundError', param: 'model', code: 404 } }
/** As Python prints the error object of worker-vllm. */
const asRepr = (message: string): string =>
  `{'message': '${message.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}', 'type': 'worker_error', 'code': None}`

describe('a failure', () => {
  it.each([
    [
      'vLLM’s own error, in the Python print of SDK ≥ 1.7.7',
      { error: asRepr(`vLLM returned HTTP 404: ${JSON.stringify(vllm404)}`) },
      404,
      vllm404.error,
    ],
    [
      'vLLM’s text',
      { error: asRepr('vLLM returned HTTP 503: overloaded\nnow') },
      503,
      { message: 'overloaded\nnow', type: 'server_error' },
    ],
    [
      'what the `openai` package says of a server inside the worker',
      { error: "Error code: 404 - {'error': {'message': \"model 'x' not found\", 'type': 'not_found_error', 'code': None}}" },
      404,
      { message: "model 'x' not found", type: 'invalid_request_error' },
    ],
    ['the same in its newer words', { error: 'Error code: 429 - slow down' }, 429, { message: 'slow down', type: 'rate_limit_error' }],
    [
      'an error object as a chunk, of SDK ≤ 1.7.4',
      { output: [{ error: { message: 'too long', type: 'BadRequestError', code: 400 } }] },
      400,
      { message: 'too long', type: 'BadRequestError', code: 400 },
    ],
    [
      'a flat error object',
      { output: { object: 'error', message: 'no such route', type: 'invalid_request_error', code: 404 } },
      404,
      { message: 'no such route', code: 404 },
    ],
    [
      'a flat error object as JSON text',
      { output: ['{"object":"error","message":"no such model","type":"NotFound","param":null,"code":404}'] },
      404,
      { message: 'no such model', code: 404 },
    ],
    [
      'a worker’s own words',
      { error: asRepr('vLLM server process is not running') },
      500,
      { message: 'vLLM server process is not running', type: 'worker_error', code: null },
    ],
    [
      'an exception',
      { error: JSON.stringify({ error_type: 'ValueError', error_message: 'bad day', error_traceback: '…' }) },
      500,
      { message: 'bad day', param: null },
    ],
    ['plain text', { error: 'handler: boom \ntraceback: …' }, 500, { message: 'handler: boom \ntraceback: …', type: 'server_error' }],
  ])('of the worker is an HTTP error with OpenAI’s body: %s', async (_, result, status, error) => {
    const requests = [ask({ model: 'm' }), streamed()]
    // Either may be the first in the queue.
    for (let served = 0; served < requests.length; served += 1) await serve([], result)
    for (const answer of await Promise.all(requests)) {
      expect([answer.status, answer.json['error']]).toEqual([status, expect.objectContaining(error)])
      expect(answer.headers.get('x-should-retry')).toBeNull()
    }
  })

  it.each([
    ['executionTimeout exceeded', 'FAILED', 504],
    ['the queue was purged', 'CANCELLED', 500],
    ['job timed out after 2 retries: worker lost 3 times: exit code 137', 'FAILED', 500],
  ] as const)('that ended the job from outside forbids the client’s own retry: %s', async (error, status, httpStatus) => {
    const answer = ask({ model: 'm' })
    const { id } = await take()
    await gateway.store.jobs.forceSettle(ep, id, { status, error })
    expect((await answer).json['error']).toMatchObject({ message: error })
    expect([(await answer).status, (await answer).headers.get('x-should-retry')]).toEqual([httpStatus, 'false'])
  })

  it('of the request itself has OpenAI’s body, too', async () => {
    const url = `/v2/${ep}/openai${CHAT}`
    const bare = createSend(gateway.publicUrl)
    const answers = [
      await bare(url, { method: 'POST', body: {} }),
      await bare(url, { method: 'POST', body: {}, headers: { authorization: 'Bearer wrong' } }),
      await gateway.call(`/v2/nowhere/openai${CHAT}`, { method: 'POST', body: {} }),
      await ask('{"model":'),
      await ask([1]),
      await ask({ stream: 'true' }),
      await ask({ messages: 'x'.repeat(200_000) }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 404, 400, 400, 400, 413])
    for (const { json } of answers) {
      expect(json).toEqual({ error: { message: expect.any(String), type: 'invalid_request_error', code: expect.any(String), param: null } })
    }
  })
})

describe('a stream', () => {
  it('passes the worker’s pieces on as they are and when they come, wherever they are cut', async () => {
    const client = openStream()
    const { id } = await take()
    const pieces = ['data: {"choices":[{"delta":{"content":"Gr', 'üße"}}]}\n', '\ndata: {"x":1}\n\ndata: [DO', 'NE]\n\n']
    let expected = ''
    for (const piece of pieces) {
      await post(id, piece)
      expected += piece
      await expect.poll(client.text, POLL).toBe(expected)
    }
    await worker.done(id, { output: pieces })
    await client.ended
    expect(client.text()).toBe(expected)
    expect(await client.head).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' })
  })

  it('frames what comes as lists of objects, and ends it', async () => {
    const answer = streamed()
    await serve([[{ n: 1 }, { n: 2 }], [{ n: 3 }]])
    expect((await answer).text).toBe('data: {"n":1}\n\ndata: {"n":2}\n\ndata: {"n":3}\n\ndata: [DONE]\n\n')
  })

  it('sends the result of a worker that streamed nothing', async () => {
    const answer = streamed()
    await serve([], { output: { object: 'list' } })
    expect((await answer).text).toBe('data: {"object":"list"}\n\ndata: [DONE]\n\n')
  })

  it('of more chunks than one read holds arrives whole and in order', async () => {
    const answer = streamed()
    const { id } = await take()
    const pieces = Array.from({ length: 1200 }, (_, n) => `data: ${n}\n\n`)
    for (const piece of pieces)
      await gateway.store.jobs.appendChunk({ endpointId: ep, jobId: id, workerId: worker.id, chunk: toJson({ output: piece }) })
    await worker.done(id, { output: pieces })
    expect((await answer).text).toBe(pieces.join(''))
  })

  it('whose worker fails after the first piece ends with one error event', async () => {
    const answer = streamed()
    await serve(['data: {"n":1}\n\n', 'data: {"n"'], { error: 'handler: boom' })
    const { status, text } = await answer
    const [first, cut, last, rest] = text.split('\n\n')
    expect([status, first, cut, rest]).toEqual([200, 'data: {"n":1}', 'data: {"n"', ''])
    expect(JSON.parse((last ?? '').replace('data: ', ''))).toMatchObject({ error: { message: 'handler: boom', type: 'server_error' } })
  })

  it('whose worker is lost after the first piece ends with an error event, and its job is cancelled', async () => {
    const client = openStream()
    const { id } = await take()
    await post(id, 'data: {"n":1}\n\n')
    await expect.poll(client.text, POLL).toBe('data: {"n":1}\n\n')
    await gateway.store.jobs.takeBack({ endpointId: ep, jobId: id, workerId: worker.id }, { budget: 2, evidence: 'killed' })
    const heir = await gateway.addWorker(ep)
    expect((await heir.take())?.id).toBe(id)
    await heir.send(`/v2/${ep}/job-stream/${heir.id}/${id}`, { method: 'POST', body: { output: 'data: {"n":1}\n\n' } })
    await client.ended
    expect(client.text()).toMatch(/^data: \{"n":1\}\n\ndata: \{"error":\{"message":"the worker was lost in the middle of the answer/)
    await expect.poll(async () => (await gateway.store.jobs.get(ep, id))?.status, POLL).toBe('CANCELLED')
  })

  it('whose worker is lost before the first piece is served by the next one', async () => {
    const answer = streamed()
    const { id } = await take()
    await gateway.store.jobs.takeBack({ endpointId: ep, jobId: id, workerId: worker.id }, { budget: 2, evidence: 'killed' })
    const heir = await gateway.addWorker(ep)
    expect((await heir.take())?.id).toBe(id)
    await heir.send(`/v2/${ep}/job-stream/${heir.id}/${id}`, { method: 'POST', body: { output: 'data: [DONE]\n\n' } })
    await heir.done(id, { output: [] })
    expect((await answer).text).toBe('data: [DONE]\n\n')
  })

  it('may be fed through another gateway', async () => {
    const client = openStream()
    const { id } = await take()
    const send = createSend(other.workerPlaneUrl, { authorization: worker.token })
    await post(id, 'data: 1\n\n', send)
    await expect.poll(client.text, POLL).toBe('data: 1\n\n')
    await send(`/v2/${ep}/job-done/${worker.id}/${id}`, { method: 'POST', body: { output: [] } })
    await client.ended
    expect(client.text()).toBe('data: 1\n\n')
  })
})

describe('a client that goes away', () => {
  it.each([true, false])('has its running job cancelled and its worker stopped (stream: %s)', async (stream) => {
    const client = openStream(gateway.publicUrl, { stream, model: 'm' })
    const { id } = await take()
    await post(id, 'data: 1\n\n')
    await expect.poll(client.text, POLL).toBe(stream ? 'data: 1\n\n' : '')
    const stops = worker.send(`/v2/${ep}/job-stop/${worker.id}`)
    client.hangUp()
    expect((await stops).json).toEqual({ jobsToStop: [id] })
    expect(await gateway.store.jobs.get(ep, id)).toMatchObject({
      status: 'CANCELLED',
      error: 'the client went away before the job had ended',
    })
  })

  it('has its waiting job taken out of the queue', async () => {
    const client = openStream()
    await expect.poll(async () => (await gateway.store.jobs.stats(ep)).waiting, POLL).toBe(1)
    client.hangUp()
    await expect.poll(async () => (await gateway.store.jobs.stats(ep)).waiting, POLL).toBe(0)
  })
})

it('a gateway that stops answers with 503 and cancels the job, so that the client may ask another one', async () => {
  const leaving = await startGateway({}, { prefix: 'openai' })
  const asked = createSend(leaving.publicUrl, { authorization: `Bearer ${gateway.key}` })(`/v2/${ep}/openai${CHAT}`, {
    method: 'POST',
    body: { model: 'm' },
  })
  const { id } = await take()
  await leaving[Symbol.asyncDispose]()
  const answer = await asked
  expect([answer.status, answer.json['error']]).toEqual([503, expect.objectContaining({ type: 'server_error' })])
  expect(await gateway.store.jobs.get(ep, id)).toMatchObject({ status: 'CANCELLED' })
})

it('a stream that waits long for its first piece is kept alive with comments; a failure is then an event', async () => {
  await using patient = await startGateway({ holds: { openaiSilenceS: 1 } }, { prefix: 'openai' })
  const comment = ': waiting for a worker\n\n'
  const [served, failed] = [openStream(patient.publicUrl), openStream(patient.publicUrl)]
  const jobs = [await take(), await take()]
  for (const client of [served, failed]) {
    await expect.poll(client.text, POLL).toMatch(new RegExp(`^(?:${comment}){2,}$`))
    expect(await client.head).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' })
  }
  for (const [index, { id }] of jobs.entries()) await worker.done(id, index === 0 ? { output: ['data: 1\n\n'] } : { error: 'no luck' })
  await Promise.all([served.ended, failed.ended])
  const ends = [served.text(), failed.text()].map((text) => text.replaceAll(comment, '')).toSorted()
  expect(ends).toEqual(['data: 1\n\n', expect.stringMatching(/^data: \{"error":\{"message":"no luck".*\}\n\n$/)])
})

it('more requests than rateLimits.openai are refused with 429, OpenAI’s body and Retry-After', async () => {
  await using limited = await startGateway({ rateLimits: { openai: 1 } }, { prefix: 'openai' })
  const send = createSend(limited.publicUrl, { authorization: `Bearer ${gateway.key}` })
  const url = `/v2/${ep}/openai${CHAT}`
  const [first, second] = [await send(url, { method: 'POST', body: [] }), await send(url, { method: 'POST', body: [] })]
  expect([first.status, second.status, Number(second.headers.get('retry-after')) >= 1]).toEqual([400, 429, true])
  expect(second.json['error']).toMatchObject({ type: 'rate_limit_error', code: 'too_many_requests' })
})

it('a Redis that goes in the middle of a stream and comes back costs no piece; without it a request is refused with 503', async () => {
  const client = openStream()
  const { id } = await take()
  await post(id, 'data: 1\n\n')
  await expect.poll(client.text, POLL).toBe('data: 1\n\n')
  await startGateway.redis().kill()
  await expect.poll(() => gateway.store.isUp(), POLL).toBe(false)
  const refused = await ask({ model: 'm' })
  expect([refused.status, refused.headers.get('retry-after') !== null]).toEqual([503, true])
  expect(refused.json['error']).toMatchObject({ type: 'server_error', code: 'store_unavailable' })
  const held = post(id, 'data: 2\n\n')
  await startGateway.redis().restart()
  await held
  await worker.done(id, { output: [] })
  await client.ended
  expect(client.text()).toBe('data: 1\n\ndata: 2\n\n')
})
