import { startRedis, type TestRedis } from '@runyard/testing'
import { workerRecord } from '@runyard/testing/records'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openTestApp, QUEUE_BODY, type TestApp } from '../../testing/management-app.ts'

const WORKER_ID = 'worker12345'
const START = Date.parse('2026-11-24T03:00:00Z')

let redis: TestRedis
let opened: TestApp
let base: string
let endpointId: string
let headers: Record<string, string>

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

beforeEach(async () => {
  opened = await openTestApp(redis.url)
  headers = { authorization: `Bearer ${await opened.keyOf('owner')}` }
  ;({ id: endpointId } = (await opened.app.inject({ method: 'POST', url: '/v2/serverless', headers, payload: QUEUE_BODY })).json<{
    id: string
  }>())
  await opened.store.workers.create(workerRecord(WORKER_ID, { endpointId, createdAt: START }))
  base = `${await opened.app.listen({ port: 0, host: '127.0.0.1' })}/v2/serverless/${endpointId}/workers`
})

afterEach(() => opened[Symbol.asyncDispose]())

const write = (...lines: readonly (readonly [number, string])[]) =>
  opened.store.workerLogs.append(
    WORKER_ID,
    'container',
    lines.map(([offset, line]) => ({ at: START + offset, line })),
  )

/** Reads server-sent events until `count` have come, then hangs up. */
async function readEvents(query: string, count: number, more: Record<string, string> = {}) {
  const hangUp = new AbortController()
  const response = await fetch(`${base}/${WORKER_ID}/logs${query}`, { headers: { ...headers, ...more }, signal: hangUp.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (text.split('\ndata: ').length <= count) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
    if (done) break
    text += value ?? ''
  }
  hangUp.abort()
  const frames = text.split('\n\n').filter((frame) => frame.startsWith('id: '))
  return {
    headers: response.headers,
    events: frames.map((frame) => {
      const [id = '', data = '{}'] = frame.split('\n').map((line) => line.replace(/^\w+: /u, ''))
      return { id, ...(JSON.parse(data) as { source: string; line: string; ts: string }) }
    }),
  }
}

const linesOf = ({ events }: Awaited<ReturnType<typeof readEvents>>) => events.map((event) => event.line)

describe('the log stream of a worker (management §3.4, sdk2-api §3.3)', () => {
  it('sends the backlog with times below a second and then follows', async () => {
    await write([0.25, 'one'], [1, 'two'])
    const reading = readEvents('', 3)
    await write([2, 'three'])
    const { events, headers: sent } = await reading
    expect(events.map(({ line, ts, source }) => [line, ts, source])).toEqual([
      ['one', '2026-11-24T03:00:00.000250Z', 'container'],
      ['two', '2026-11-24T03:00:00.001000Z', 'container'],
      ['three', '2026-11-24T03:00:00.002000Z', 'container'],
    ])
    expect(sent.get('content-type')).toBe('text/event-stream')
    expect(sent.get('cache-control')).toBe('no-cache')
    expect(sent.get('x-accel-buffering')).toBe('no')
  })

  it('sends each of several lines with the same time once', async () => {
    await write([0, 'a'], [0, 'b'])
    const reading = readEvents('?tail=1000', 4)
    await write([0, 'c'], [1, 'd'])
    expect(linesOf(await reading)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('starts with the last lines that tail asks for', async () => {
    await write([0, 'a'], [1, 'b'], [2, 'c'])
    expect(linesOf(await readEvents('?tail=2', 2))).toEqual(['b', 'c'])
  })

  it('starts at since, which beats tail, and reads an unescaped zone', async () => {
    await write([0, 'a'], [1000, 'b'], [2000, 'c'])
    expect(linesOf(await readEvents('?tail=1&since=2026-11-24T03:00:01Z', 2))).toEqual(['b', 'c'])
    expect(linesOf(await readEvents('?since=2026-11-24T03:00:02.000000+00:00', 1))).toEqual(['c'])
  })

  it('resumes behind the last event that the client has seen', async () => {
    await write([0, 'a'], [0, 'b'], [1, 'c'])
    const [first] = (await readEvents('', 3)).events
    expect(linesOf(await readEvents('?since=2020-01-01T00:00:00Z', 2, { 'last-event-id': first?.id ?? '' }))).toEqual(['b', 'c'])
  })

  it('refuses a tail above 5000 and an unknown worker', async () => {
    const statuses = [`${base}/${WORKER_ID}/logs?tail=5001`, `${base}/no-such/logs`].map(
      async (url) => (await fetch(url, { headers })).status,
    )
    expect(await Promise.all(statuses)).toEqual([422, 404])
  })

  it('reads no more of a log than what is new', async () => {
    await write(...Array.from({ length: 1000 }, (_, index) => [index, 'x'.repeat(1000)] as const))
    const response = await fetch(`${base}/${WORKER_ID}/logs?tail=1`, { headers })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const readUntil = async (text: string): Promise<void> => {
      for (let seen = ''; !seen.includes(text); seen += (await reader?.read())?.value ?? '');
    }
    await readUntil('data: ')
    const looks = vi.spyOn(opened.store.workerLogs, 'readAfter')
    for (const offset of [2000, 2001, 2002]) {
      await write([offset, `new ${offset}`])
      await readUntil(`new ${offset}`)
    }
    const read = await Promise.all(looks.mock.results.map(({ value }) => value as ReturnType<typeof opened.store.workerLogs.readAfter>))
    expect(read.flatMap(({ lines }) => lines).map(({ line }) => line)).toEqual(['new 2000', 'new 2001', 'new 2002'])
    await reader?.cancel()
  })

  it('ends when the worker is gone and its last lines are delivered', async () => {
    await write([0, 'a'])
    const response = await fetch(`${base}/${WORKER_ID}/logs`, { headers })
    const reading = response.text()
    await opened.store.workers.remove(endpointId, WORKER_ID, undefined)
    await write([1, 'last words'])
    expect(await reading).toMatch(/"line":"a"[^]*"line":"last words"[^]*: the worker is gone, and this was all\n\n$/)
  })

  it('is cut when its key is revoked', async () => {
    const { key, plain } = await opened.store.keys.create({ name: 'brief', ownerId: 'owner' })
    const response = await fetch(`${base}/${WORKER_ID}/logs`, { headers: { authorization: `Bearer ${plain}` } })
    const reading = response.text()
    await opened.store.keys.revoke(key.id)
    await expect(reading).rejects.toThrow('terminated')
  })

  it('ends when its key expires, and says so', async () => {
    const { plain } = await opened.store.keys.create({ name: 'brief', ownerId: 'owner', expiresAt: Date.now() + 1500 })
    const response = await fetch(`${base}/${WORKER_ID}/logs`, { headers: { authorization: `Bearer ${plain}` } })
    const reading = response.text()
    const ended = reading.then(() => true)
    await vi.waitUntil(async () => {
      await write([0, 'news'])
      return Promise.race([ended, sleep(50, false)])
    })
    expect(await reading).toContain(': the API key is no longer valid')
  })

  it('refuses a key more than 20 streams at once, and counts those that have ended no more', async () => {
    const hangUps = Array.from({ length: 20 }, () => new AbortController())
    await Promise.all(hangUps.map(({ signal }) => fetch(`${base}/${WORKER_ID}/logs`, { headers, signal })))
    const refused = await fetch(`${base}/${WORKER_ID}/logs`, { headers })
    expect([refused.status, await refused.json()]).toMatchObject([429, { detail: expect.stringContaining('follows 20 logs already') }])
    hangUps[0]?.abort()
    await vi.waitUntil(async () => {
      const hangUp = new AbortController()
      const { status } = await fetch(`${base}/${WORKER_ID}/logs`, { headers, signal: hangUp.signal })
      hangUp.abort()
      return status === 200
    })
    for (const hangUp of hangUps) hangUp.abort()
  })

  it('ends with the gateway', async () => {
    await write([0, 'a'])
    const response = await fetch(`${base}/${WORKER_ID}/logs`, { headers })
    const reading = response.text()
    await opened.app.close()
    expect(await reading).toContain('"line":"a"')
  })
})
