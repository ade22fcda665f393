// Every mistake of a caller is a 4xx with one clear sentence in a JSON object without `status` and `id` (client-api R15, §9).
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer } from '@runyard/testing'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

await suiteThatNeeds(['redis'], 'bad input', () => {
  let stack: Stack
  let endpoint: string

  beforeAll(async () => {
    stack = await startStack({ host: 'process' })
    endpoint = await stack.api.saveEndpoint({ name: 'never-called' })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const bodies: readonly [string, string][] = [
    ['a body that is no JSON', '{"input": '],
    ['an empty body', ''],
    ['a body that is a list', '[1]'],
    ['a body that is a string', '"input"'],
    ['a body that is null', 'null'],
    ['a body without input', '{"inputs": {}}'],
    ['an input that is null', '{"input": null}'],
    ['a policy that is no object', '{"input": {}, "policy": "fast"}'],
    ['a time to live that is no number', '{"input": {}, "policy": {"ttl": "soon"}}'],
    ['a webhook that is no URL', '{"input": {}, "webhook": 17}'],
  ]
  test.each(bodies)('%s is rejected by /run and /runsync', async (_, body) => {
    for (const operation of ['run', 'runsync']) {
      const reply = await stack.api.request(`/v2/${endpoint}/${operation}`, { method: 'POST', body, headers: JSON_TYPE })
      expect(seen(reply)).toEqual(refusal(400))
    }
  })

  test('an input that is an empty object, a number or false is accepted', async () => {
    const paused = await stack.api.saveEndpoint({ name: 'accepts-all', workersMax: 0 })
    for (const input of [{}, 0, false, '', []]) {
      const reply = await stack.api.post(`/v2/${paused}/run`, { input, unknown: 'ignored' })
      expect(reply).toMatchObject({ status: 200, json: { status: 'IN_QUEUE' } })
      expect(Object.keys(reply.json).toSorted()).toEqual(['id', 'status'])
    }
  })

  const requests: readonly [string, number, string][] = [
    ['an unknown endpoint', 404, 'POST /v2/nosuchendpoint/run'],
    ['an unknown job', 404, 'GET /v2/{ep}/status/no-such-job'],
    ['a cancel of an unknown job', 404, 'POST /v2/{ep}/cancel/no-such-job'],
    ['a stream of an unknown job', 404, 'GET /v2/{ep}/stream/no-such-job'],
    ['an unknown operation', 404, 'GET /v2/{ep}/fly'],
    ['an unknown path', 404, 'GET /nowhere/at/all'],
    ['a job id with odd characters', 404, 'GET /v2/{ep}/status/..%2f..%2fetc%2fpasswd'],
    ['the worker protocol on the public listener', 404, 'GET /v2/{ep}/job-take/w1?gpu=x'],
  ]
  test.each(requests)('%s gets status %i', async (_, status, line) => {
    const [method = '', path = ''] = line.split(' ')
    const body = method === 'POST' ? { body: '{"input":{}}', headers: JSON_TYPE } : {}
    expect(seen(await stack.api.request(path.replace('{ep}', endpoint), { method, ...body }))).toEqual(refusal(status))
  })

  test('every API rejects a missing and a wrong key', async () => {
    for (const key of [null, 'wrong', '']) {
      for (const path of [`/v2/${endpoint}/health`, `/v2/${endpoint}/status/any`]) {
        expect(seen(await stack.api.request(path, { key }))).toEqual(refusal(401))
      }
      const graphql = await stack.api.request('/graphql', { key, body: '{"query":"{ myself { id } }"}', headers: JSON_TYPE })
      expect(graphql.status === 401 || 'errors' in graphql.json).toBe(true)
    }
  })

  test('a bare key without Bearer is accepted', async () => {
    const reply = await stack.api.request(`/v2/${endpoint}/health`, { key: null, headers: { authorization: stack.key } })
    expect(reply.status).toBe(200)
  })

  test('a body above the limit is rejected, one just below it is accepted', async () => {
    const paused = await stack.api.saveEndpoint({ name: 'limits', workersMax: 0 })
    const send = (size: number) => stack.api.post(`/v2/${paused}/run`, { input: 'x'.repeat(size) })
    expect((await send(9 * 1024 * 1024)).status).toBe(200)
    expect(seen(await send(11 * 1024 * 1024))).toEqual(refusal(413))
  })

  test('GraphQL mistakes are reported as one sentence in errors', async () => {
    const mistakes = ['{', '{ nothing }', 'mutation { saveEndpoint(input: {}) { id } }', 'mutation { deleteEndpoint(id: "nosuch") }']
    for (const query of mistakes) {
      const reply = await stack.api.post('/graphql', { query })
      const [first] = reply.json['errors'] as { message: string }[]
      expect(first?.message).toMatch(/^\S.{5,}$/)
      expect(reply.status).toBeLessThan(500)
    }
  })

  test('the public listener binds to loopback only', async () => {
    const other = Object.values(networkInterfaces())
      .flat()
      .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')
    if (other === undefined) return
    await expect(fetch(stack.url.replace('127.0.0.1', other.address))).rejects.toThrow('fetch failed')
  })

  test('the worker plane offers no management to API keys and no metrics, and rejects callers without a token', async () => {
    const headers = { authorization: `Bearer ${stack.key}`, ...JSON_TYPE }
    const save = JSON.stringify({ query: 'mutation { saveEndpoint(input: { name: "intruder", gpuIds: "ADA_24" }) { id } }' })
    const refused = [
      await fetch(`${stack.planeUrl}/metrics`, { headers }),
      await fetch(`${stack.planeUrl}/graphql`, { method: 'POST', headers, body: save }),
      await fetch(`${stack.planeUrl}/v2/serverless/${endpoint}`, { method: 'DELETE', headers: { authorization: stack.key } }),
    ]
    expect(refused.map((reply) => reply.status >= 400)).toEqual([true, true, true])
    expect((await stack.api.endpoints()).map((one) => one.name)).not.toContain('intruder')
    // A polling worker is asked to wait, because its SDK retries at once after every other rejection (worker-api §4.3).
    const take = await fetch(`${stack.planeUrl}/v2/${endpoint}/job-take/w1?gpu=x`, { headers: { authorization: stack.key } })
    expect(take.status).toBe(429)
    const done = await fetch(`${stack.planeUrl}/v2/${endpoint}/job-done/w1/j1?gpu=x`, { method: 'POST', headers, body: '{"output":1}' })
    expect([401, 403]).toContain(done.status)
  })
})

/** What every rejection must look like. */
function refusal(status: number): Refusal {
  return { status, type: 'application/json', sentence: expect.stringMatching(/^\S[^\n]{8,}$/) as string, forbiddenKeys: [] }
}

function seen(reply: Answer): Refusal {
  return {
    status: reply.status,
    type: (reply.headers.get('content-type') ?? '').split(';')[0] ?? '',
    sentence: String(reply.json['error']),
    forbiddenKeys: Object.keys(reply.json).filter((key) => key === 'status' || key === 'id'),
  }
}

interface Refusal {
  readonly status: number
  readonly type: string
  readonly sentence: string
  readonly forbiddenKeys: readonly string[]
}
