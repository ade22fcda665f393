import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from './client.ts'

const seen: { method: string | undefined; url: string | undefined; auth: string | undefined; body: string; once?: string }[] = []
let answer: { status: number; body: string } = { status: 200, body: '{}' }
let server: Server
let url: string

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (data: Buffer) => {
      body += data.toString()
    })
    request.on('end', () => {
      const once = request.headers['idempotency-key']
      const keyed = once === undefined ? {} : { once: String(once) }
      seen.push({ method: request.method, url: request.url, auth: request.headers.authorization, body, ...keyed })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('createClient', () => {
  it('sends the key and the body, and returns the JSON', async () => {
    answer = { status: 200, body: '{"id":"j","status":"IN_QUEUE"}' }
    const client = createClient({ url, key: 'k' })
    expect(await client.jobs.run('e', { input: { x: 1 } })).toEqual({ id: 'j', status: 'IN_QUEUE' })
    expect(seen.at(-1)).toEqual({ method: 'POST', url: '/v2/e/run', auth: 'Bearer k', body: '{"input":{"x":1}}' })
  })

  it('has every member that a refusal says is wrong', async () => {
    const errors = ['body.workers.max: must be at most 1000', 'body.gpu.count: must be at most 64']
    answer = { status: 422, body: JSON.stringify({ detail: '"workers.max" must be at most 1000.', errors }) }
    const refused = createClient({ url, key: 'k' }).createEndpoint({ name: 'e' }, { isNew: true })
    await expect(refused).rejects.toMatchObject({ code: 'unprocessable', issues: errors })
  })

  it('submits a text as its author wrote it, with the key that makes it one job', async () => {
    answer = { status: 200, body: '{"id":"j","status":"IN_QUEUE"}' }
    const text = '{"input": {"seed": 12345678901234567890}}'
    const client = createClient({ url, key: 'k' })
    await client.jobs.submit('e', text, { waitMs: 1000, idempotencyKey: 'once' })
    expect(seen.at(-1)).toEqual({ method: 'POST', url: '/v2/e/runsync?wait=1000', auth: 'Bearer k', body: text, once: 'once' })
  })

  it('reads an answer of an OpenAI route, and the sentence of a refusal', async () => {
    answer = { status: 200, body: '{"choices":[]}' }
    const client = createClient({ url, key: 'k' })
    const ask = async (): Promise<unknown[]> => {
      const options = { text: '{"model":"m"}', signal: new AbortController().signal }
      return await Array.fromAsync(client.jobs.openai('e', 'chat/completions', options), ({ data }) => data)
    }
    expect(await ask()).toEqual([{ choices: [] }])
    expect(seen.at(-1)).toMatchObject({ method: 'POST', url: '/v2/e/openai/v1/chat/completions', body: '{"model":"m"}' })
    answer = { status: 404, body: '{"error":{"message":"The model does not exist."}}' }
    await expect(ask()).rejects.toThrow('The model does not exist.')
  })

  it('asks for a range in ISO times', async () => {
    answer = { status: 200, body: '{"usage":[]}' }
    await createClient({ url, key: 'k' }).usage({ from: 0, to: 1000 })
    expect(seen.at(-1)?.url).toBe('/runyard/v1/usage?from=1970-01-01T00%3A00%3A00.000Z&to=1970-01-01T00%3A00%3A01.000Z')
  })

  it.each([
    [404, '{"error":"no such endpoint"}', { code: 'not_found', message: 'no such endpoint' }],
    [503, '{"title":"t","detail":"Redis is away"}', { code: 'store_unavailable', message: 'Redis is away' }],
    [418, 'tea', { code: 'bad_request', message: 'GET /v2/e/health: status 418' }],
  ])('turns status %i into a coded sentence', async (status, body, failure) => {
    answer = { status, body }
    await expect(createClient({ url, key: 'k' }).jobs.health('e')).rejects.toMatchObject(failure)
  })

  it('reports an unreachable gateway', async () => {
    await expect(createClient({ url: 'http://127.0.0.1:1', key: 'k' }).listEndpoints()).rejects.toThrow(
      'Runyard at http://127.0.0.1:1 does not answer.',
    )
  })
})
