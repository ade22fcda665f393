// The rules R1–R20 of client-api §1, one test each, against real sockets and a real Redis; then what the operations promise beyond them.
import { gzipSync } from 'node:zlib'
import { toJson } from '@runyard/schema'
import { createSend, type Answer } from '@runyard/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'
import { NOT_UTF8 } from '../http/json-body.ts'

const startGateway = useGateways()
let gateway: TestGateway
let ep: string
let worker: TestWorker

beforeAll(async () => {
  gateway = await startGateway({ limits: { runBytes: 100_000, runsyncBytes: 200_000 } })
  ep = (await gateway.addEndpoint()).id
  worker = await gateway.addWorker(ep)
})

const post = (path: string, body?: unknown): Promise<Answer> => gateway.call(path, { method: 'POST', body })
const statusOf = (jobId: string): Promise<Answer> => gateway.call(`/v2/${ep}/status/${jobId}`)

async function finishJob(body: unknown): Promise<string> {
  const id = await worker.startJob()
  await worker.done(id, body)
  return id
}

const chunk = (jobId: string, value: unknown): Promise<Answer> => worker.stream(jobId, { output: value })

describe('the rules that real SDKs need', () => {
  it('R1: answers exactly 200 on every operation that succeeds', async () => {
    const id = await worker.startJob()
    const answers = [
      await post(`/v2/${ep}/run`, { input: 1 }),
      await statusOf(id),
      await gateway.call(`/v2/${ep}/status-sync/${id}?wait=1000`),
      await gateway.call(`/v2/${ep}/stream/${id}?wait=1000`),
      await post(`/v2/${ep}/cancel/${id}`),
      await gateway.call(`/v2/${ep}/health`),
      await gateway.call(`/v2/${ep}/metrics`),
    ]
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const queued = await worker.take()
    await worker.done(queued?.id ?? '', {})
  })

  it('R2: answers 200 for a job that failed or was cancelled', async () => {
    const failed = await statusOf(await finishJob({ error: 'no' }))
    expect([failed.status, failed.json['status'], failed.json['error']]).toEqual([200, 'FAILED', 'no'])
    const id = await worker.startJob()
    await post(`/v2/${ep}/cancel/${id}`)
    const cancelled = await statusOf(id)
    expect([cancelled.status, cancelled.json['status']]).toEqual([200, 'CANCELLED'])
  })

  it('R3: accepts an empty POST that claims to be JSON', async () => {
    const id = await finishJob({ output: 1 })
    for (const operation of ['status', 'status-sync', 'stream', 'cancel']) {
      const answer = await post(`/v2/${ep}/${operation}/${id}`)
      expect([operation, answer.status, answer.json['status']]).toEqual([operation, 200, 'COMPLETED'])
    }
  })

  it('R4, R7: /stream always carries an array of objects with `output`', async () => {
    const waiting = await post(`/v2/${ep}/run`, { input: 1 })
    const queued = await gateway.call(`/v2/${ep}/stream/${String(waiting.json['id'])}?wait=1000`)
    expect(queued.json).toEqual({ status: 'IN_QUEUE', stream: [] })
    const job = await worker.take()
    await chunk(job?.id ?? '', { a: 1 })
    await worker.done(job?.id ?? '', { output: [] })
    const ended = await gateway.call(`/v2/${ep}/stream/${String(job?.id)}`)
    expect(ended.json).toEqual({ status: 'COMPLETED', stream: [{ output: { a: 1 } }] })
  })

  it('R5: hands each chunk out once and still answers 200 with an empty array afterwards', async () => {
    const id = await worker.startJob()
    for (const value of [1, 2, 3]) await chunk(id, value)
    const first = await gateway.call(`/v2/${ep}/stream/${id}`)
    await chunk(id, 4)
    await worker.done(id, { output: [1, 2, 3, 4] })
    const second = await gateway.call(`/v2/${ep}/stream/${id}`)
    const third = await gateway.call(`/v2/${ep}/stream/${id}`)
    expect(first.json).toEqual({ status: 'IN_PROGRESS', stream: [{ output: 1 }, { output: 2 }, { output: 3 }] })
    expect(second.json).toEqual({ status: 'COMPLETED', stream: [{ output: 4 }] })
    expect([third.status, third.json]).toEqual([200, { status: 'COMPLETED', stream: [] }])
  })

  it('R6: reports no terminal status while chunks remain', async () => {
    const id = await worker.startJob()
    const values = Array.from({ length: 600 }, (_, index) => index)
    for (const value of values)
      await gateway.store.jobs.appendChunk({ endpointId: ep, jobId: id, workerId: worker.id, chunk: toJson({ output: value }) })
    await worker.done(id, { output: [] })
    const first = await gateway.call(`/v2/${ep}/stream/${id}`)
    const second = await gateway.call(`/v2/${ep}/stream/${id}`)
    expect([first.json['status'], second.json['status']]).toEqual(['IN_PROGRESS', 'COMPLETED'])
    const chunks = [first, second].flatMap(({ json }) => json['stream'] as { output: number }[])
    expect(chunks.map(({ output }) => output)).toEqual(values)
  })

  it('R8: /stream and /status-sync are held until there is news', async () => {
    const id = await worker.startJob()
    const stream = gateway.call(`/v2/${ep}/stream/${id}`)
    const status = gateway.call(`/v2/${ep}/status-sync/${id}`)
    await chunk(id, 'x')
    expect((await stream).json).toEqual({ status: 'IN_PROGRESS', stream: [{ output: 'x' }] })
    await worker.done(id, { output: 'y' })
    expect((await status).json).toMatchObject({ status: 'COMPLETED', output: 'y' })
  })

  it('R11, client-api §13.12: /runsync answers with the job as it stands when its wait is over', async () => {
    const answer = await post(`/v2/${ep}/runsync?wait=1`, { input: 'slow' })
    expect(answer.json['status']).toBe('IN_QUEUE')
    expect(Object.keys(answer.json)).toEqual(['id', 'status'])
    const job = await worker.take()
    const later = gateway.call(`/v2/${ep}/status-sync/${String(answer.json['id'])}?wait=60000`)
    await worker.done(job?.id ?? '', { output: 'done' })
    expect((await later).json).toMatchObject({ id: answer.json['id'], status: 'COMPLETED', output: 'done' })
  })

  it('R12: times and counts are integers', async () => {
    const { json } = await statusOf(await finishJob({ output: 1 }))
    expect([json['delayTime'], json['executionTime']].every(Number.isInteger)).toBe(true)
    const health = await gateway.read<{ jobs: Record<string, unknown>; workers: Record<string, unknown> }>(`/v2/${ep}/health`)
    expect(Object.keys(health.jobs).toSorted()).toEqual(['completed', 'failed', 'inProgress', 'inQueue', 'retried'])
    expect(Object.keys(health.workers).toSorted()).toEqual(['idle', 'initializing', 'ready', 'running', 'throttled', 'unhealthy'])
    expect([...Object.values(health.jobs), ...Object.values(health.workers)].every(Number.isInteger)).toBe(true)
  })

  it('R13: an error object becomes a string', async () => {
    const { json } = await statusOf(await finishJob({ error: { code: 7 } }))
    expect(json['error']).toBe('{"code":7}')
  })

  it('R14: absent fields are omitted, never null', async () => {
    const id = await worker.startJob()
    expect(Object.keys((await statusOf(id)).json).toSorted()).toEqual(['delayTime', 'id', 'status', 'workerId'])
    await worker.done(id, { error: 'x' })
    expect(Object.values((await statusOf(id)).json)).not.toContain(null)
  })

  it.each([
    ['/v2/nothing/health', 404],
    ['/v2/EP/status/nothing', 404],
    ['/v2/flash/run', 404],
    ['/nowhere', 404],
    ['/v2/EP/run', 405],
  ])('R15: the error of GET %s is a JSON object without `status` and `id`', async (path, status) => {
    const answer = await gateway.call(path.replace('EP', ep))
    const method = path === '/v2/flash/run' ? await post(path, { input: 1 }) : answer
    expect(method.status).toBe(status)
    expect(method.headers.get('content-type')).toContain('application/json')
    expect(typeof method.json['error']).toBe('string')
    expect(Object.keys(method.json)).not.toEqual(expect.arrayContaining(['status']))
    expect(Object.keys(method.json)).not.toEqual(expect.arrayContaining(['id']))
  })

  it('a method that is not allowed is answered with those that are', async () => {
    expect((await gateway.call(`/v2/${ep}/status/x1`, { method: 'DELETE' })).headers.get('allow')).toBe('GET, POST')
  })

  it('R16: ignores unknown keys and query parameters', async () => {
    const answer = await post(`/v2/${ep}/run?what=ever`, { input: { a: 1 }, timeout: 3, webhookV2: 'x' })
    expect(answer.status).toBe(200)
    const job = await worker.take()
    expect(job).toEqual({ id: answer.json['id'], input: { a: 1 } })
    await worker.done(job?.id ?? '', {})
  })

  it('R17, client-api §13.15: tolerates doubled slashes in paths', async () => {
    expect((await gateway.call(`/v2//${ep}/health`)).status).toBe(200)
    expect((await gateway.call(`//v2/${ep}//health?a=b//c`)).status).toBe(200)
  })

  it('takes /v2/v2 for /v2, as Terraform’s provider appends it to a base in /v2', async () => {
    expect((await gateway.call(`/v2/v2/${ep}/health`)).status).toBe(200)
  })

  it('means the same by /v1, where programs send their jobs too, beside the endpoints and templates of REST v1', async () => {
    const { json } = await post(`/v1/${ep}/run`, { input: { n: 1 } })
    const id = String(json['id'])
    const job = await worker.take()
    expect(job).toMatchObject({ id, input: { n: 1 } })
    await worker.done(id, { output: 'done' })
    const done = await statusOf(id)
    expect(done.json).toMatchObject({ id, status: 'COMPLETED', output: 'done' })
    for (const path of [`status/${id}`, `status-sync/${id}?wait=1000`])
      expect((await gateway.call(`/v1/${ep}/${path}`)).json).toEqual(done.json)
    expect((await gateway.call(`/v1/${ep}/stream/${id}`)).json).toEqual({ status: 'COMPLETED', stream: [] })
    expect((await gateway.call(`/v1/${ep}/health`)).json).toEqual((await gateway.call(`/v2/${ep}/health`)).json)
    expect((await post(`/v1/${ep}/runsync?wait=1000`, {})).status).toBe(400)
    expect(await gateway.call(`/v1/endpoints/${ep}`)).toMatchObject({ status: 200, json: { id: ep } })
  })

  it('R18: accepts bodies up to their limit, answers 413 beyond, and lets `__proto__` through as a plain key', async () => {
    const text = '{"input":{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}}}}'
    const accepted = await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: text })
    expect(accepted.status).toBe(200)
    const taken = await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)
    expect(taken.text).toContain('"__proto__":{"polluted":true}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    await worker.done(String(accepted.json['id']), {})
    const big = 'x'.repeat(150_000)
    expect((await post(`/v2/${ep}/run`, { input: big })).status).toBe(413)
    const sync = await post(`/v2/${ep}/runsync?wait=1`, { input: big })
    expect(sync.status).toBe(200)
    const job = await worker.take()
    await worker.done(job?.id ?? '', {})
  })

  it('R19: serves /status-sync by GET and by POST', async () => {
    const id = await finishJob({ output: 5 })
    for (const method of ['GET', 'POST']) {
      expect((await gateway.call(`/v2/${ep}/status-sync/${id}?wait=1000`, { method })).json).toMatchObject({ id, output: 5 })
    }
  })

  it('R20, client-api §13.20: progress is shown while a job runs and cannot move an ended one', async () => {
    const id = await worker.startJob()
    await worker.done(id, { status: 'IN_PROGRESS', output: '50%' })
    expect((await statusOf(id)).json).toMatchObject({ status: 'IN_PROGRESS', output: '50%' })
    await worker.done(id, { output: 'all' })
    expect((await worker.done(id, { status: 'IN_PROGRESS', output: '60%' })).status).toBe(200)
    expect((await statusOf(id)).json).toMatchObject({ status: 'COMPLETED', output: 'all' })
  })
})

describe('ids, keys and bodies', () => {
  it('client-api §13.13: /run answers exactly id and status, with an id of the known form', async () => {
    const { json } = await post(`/v2/${ep}/run`, { input: {} })
    expect(Object.keys(json)).toEqual(['id', 'status'])
    expect(json['id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-u1$/)
    expect(await worker.take()).toEqual({ id: json['id'], input: {} })
    await worker.done(String(json['id']), {})
  })

  it.each([
    ['', 400],
    ['not json', 400],
    ['[]', 400],
    ['7', 400],
    ['{}', 400],
    ['{"input":null}', 400],
    ['{"input":false}', 200],
    ['{"input":0,"policy":null,"webhook":null,"s3Config":null}', 200],
    ['{"input":0,"policy":7}', 400],
    ['{"input":0,"policy":{"ttl":"x"}}', 400],
    ['{"input":0,"policy":{"lowPriority":1}}', 400],
    ['{"input":0,"webhook":{}}', 400],
    ['{"input":0,"s3Config":"x"}', 400],
  ])('a body %s is answered %i', async (body, status) => {
    const answer = await gateway.call(`/v2/${ep}/run`, { method: 'POST', body })
    expect(answer.status).toBe(status)
    if (status !== 200) return
    const job = await worker.take()
    await worker.done(job?.id ?? '', {})
  })

  it('whole numbers of any length reach the worker and the caller as they were sent (client-api §6)', async () => {
    const text = '{"seed":12345678901234567890,"nested":[-9223372036854775809]}'
    const { json } = await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: `{"input":${text},"policy":{"ttl":60000.0}}` })
    const id = String(json['id'])
    expect((await worker.send(`/v2/${ep}/job-take/${worker.id}?gpu=x`)).text).toContain(`"input":${text}`)
    const report = (route: string, body: string) => worker.send(`/v2/${ep}/${route}/${worker.id}/${id}?gpu=x`, { method: 'POST', body })
    await report('job-stream', `{"output":${text}}`)
    await report('job-done', `{"output":${text}}`)
    for (const path of ['status', 'stream']) expect((await gateway.call(`/v2/${ep}/${path}/${id}`)).text).toContain(`"output":${text}`)
  })

  it.each([
    ['not UTF-8', Buffer.from('{"input":"\xff"}', 'latin1')],
    ['compressed', gzipSync('{"input":1}')],
  ])('a body that is %s is refused with a sentence', async (_what, body) => {
    const headers = { authorization: gateway.key, 'content-type': 'application/json' }
    const answer = await fetch(`${gateway.publicUrl}/v2/${ep}/run`, { method: 'POST', headers, body })
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: NOT_UTF8 })])
  })

  it('s3Config travels to the worker beside the input and is never shown', async () => {
    const id = String((await post(`/v2/${ep}/run`, { input: 1, s3Config: { bucketName: 'b' } })).json['id'])
    expect(await worker.take()).toEqual({ id, input: 1, s3Config: { bucketName: 'b' } })
    await worker.done(id, { output: 2 })
    expect((await statusOf(id)).text).not.toContain('bucketName')
  })

  it.each([
    ['Bearer KEY', 200],
    ['bearer   KEY', 200],
    ['KEY', 200],
    ['Bearer wrong', 401],
    ['Bearer', 401],
    ['', 401],
  ])('client-api §13.14: an Authorization header "%s" is answered %i', async (authorization, status) => {
    const send = createSend(gateway.publicUrl, authorization === '' ? {} : { authorization: authorization.replace('KEY', gateway.key) })
    const answer = await send(`/v2/${ep}/health`)
    expect(answer.status).toBe(status)
    expect(typeof answer.json['error']).toBe(status === 401 ? 'string' : 'undefined')
  })

  it('a key of another owner is answered 403', async () => {
    const { plain } = await gateway.store.keys.create({ name: 'other', ownerId: 'other' })
    const answer = await createSend(gateway.publicUrl, { authorization: plain })(`/v2/${ep}/health`)
    expect(answer.status).toBe(403)
  })

  it('a load-balanced endpoint has no queue operations', async () => {
    const { id } = await gateway.addEndpoint({ type: 'LOAD_BALANCER' })
    expect((await post(`/v2/${id}/run`, { input: 1 })).json['error']).toBe('not allowed for LB API')
  })
})

describe('results', () => {
  it('a handler that returned {} completes with output {}', async () => {
    expect((await statusOf(await finishJob({}))).json).toMatchObject({ status: 'COMPLETED', output: {} })
  })

  it('a null output stays null', async () => {
    expect((await statusOf(await finishJob({ output: null }))).json).toMatchObject({ status: 'COMPLETED', output: null })
  })

  it('an error keeps the output that came with it', async () => {
    const { json } = await statusOf(await finishJob({ output: { stdout: 'hi' }, error: 'bad' }))
    expect(json).toMatchObject({ status: 'FAILED', output: { stdout: 'hi' }, error: 'bad' })
  })

  it('a job cancelled in the queue has every key that Flash needs, and a reason', async () => {
    const other = (await gateway.addEndpoint()).id
    const id = String((await post(`/v2/${other}/run`, { input: 1 })).json['id'])
    expect((await post(`/v2/${other}/cancel/${id}`, {})).json).toEqual({ id, status: 'CANCELLED' })
    expect((await gateway.call(`/v2/${other}/status/${id}`)).json).toEqual({
      id,
      status: 'CANCELLED',
      delayTime: 0,
      executionTime: 0,
      workerId: '',
      output: {},
      error: expect.any(String) as string,
    })
  })

  it('cancelling an ended job changes nothing', async () => {
    const id = await finishJob({ output: 1 })
    expect((await post(`/v2/${ep}/cancel/${id}`)).json).toMatchObject({ id, status: 'COMPLETED', output: 1 })
  })

  it('?ttl= on /status shortens the life of a result', async () => {
    const id = await finishJob({ output: 1 })
    expect((await gateway.call(`/v2/${ep}/status/${id}?ttl=1`)).status).toBe(200)
    await expect.poll(async () => (await statusOf(id)).status).toBe(404)
  })

  it('/runsync with a wait of at most a second names the worker as soon as there is one', async () => {
    const poll = worker.take()
    const answer = post(`/v2/${ep}/runsync?wait=1000`, { input: 'dev' })
    const job = await poll
    expect((await answer).json).toMatchObject({ id: job?.id, status: 'IN_PROGRESS', workerId: worker.id })
    await worker.done(job?.id ?? '', {})
  })

  it('a client that goes away leaves no waiter behind, and its job goes on', async () => {
    const controller = new AbortController()
    const call = gateway.call(`/v2/${ep}/runsync`, { method: 'POST', body: { input: 'gone' }, signal: controller.signal })
    const job = await worker.take()
    controller.abort()
    await expect(call).rejects.toThrow(/abort/i)
    await expect
      .poll(async () => (await createSend(gateway.publicUrl)('/metrics')).text)
      .toContain('runyard_http_held_requests{holder="caller"} 0')
    await worker.done(job?.id ?? '', { output: 1 })
    expect((await statusOf(job?.id ?? '')).json['status']).toBe('COMPLETED')
  })
})

describe('random requests', () => {
  it('never cause a 5xx', async () => {
    const { id } = await gateway.addEndpoint()
    let seed = 42
    const pick = (choices: readonly string[]): string => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return choices[seed % choices.length] ?? ''
    }
    const atoms = ['null', 'true', '-1', '1e999', '"\\u0000"', '"\ud800"', '{}', '[]', '"input"', 'NaN', '{"a":', '\u0000', '[[[[', '']
    const operations = [
      'run',
      'run?wait=abc',
      'cancel/%00',
      'status/..%2f..',
      'stream/x?wait=-1',
      'status-sync/x?wait=1e9',
      'nothing',
      '%zz',
    ]
    for (let round = 0; round < 200; round += 1) {
      const shapes = [
        pick(atoms),
        `{"input":${pick(atoms)}}`,
        `{"input":1,"policy":${pick(atoms)}}`,
        `{"input":1,"policy":{"ttl":${pick(atoms)}}}`,
      ]
      const request = { path: `/v2/${id}/${pick(operations)}`, body: pick(shapes) }
      const answer = await gateway.call(request.path, { method: 'POST', body: request.body })
      expect([request, answer.status < 500]).toEqual([request, true])
    }
  })
})
