// `Idempotency-Key` on submit, against real sockets and a real Redis.
import { createSend, type Answer } from '@runyard/testing'
import { expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({ retention: { syncS: 1 } }, (site) => {
  ;({ gateway, ep, worker } = site)
})

const post = (operation: string, key: string, body: unknown = { input: { n: 1 } }): Promise<Answer> =>
  gateway.call(`/v2/${ep}/${operation}`, { method: 'POST', body, headers: { 'idempotency-key': key } })

it('a /run that is sent again names the same job, however often and at once, and returns its status', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => post('run', 'one')))
  const ids = new Set(answers.map(({ json }) => json['id']))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(ids.size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(7)
  const job = await worker.take()
  expect((await post('run', 'one')).json).toEqual({ id: job?.id, status: 'IN_PROGRESS' })
  await worker.done(job?.id ?? '', { output: 1 })
  expect((await post('run', 'one')).json).toEqual({ id: job?.id, status: 'COMPLETED' })
  expect(await gateway.store.jobs.stats(ep)).toMatchObject({ waiting: 0, completed: 1 })
})

it('a /runsync that is sent again waits for the same job', async () => {
  const first = post('runsync?wait=30000', 'two')
  const job = await worker.take()
  const second = post('runsync?wait=30000', 'two')
  await worker.done(job?.id ?? '', { output: 'done' })
  for (const answer of [await first, await second]) expect(answer.json).toMatchObject({ id: job?.id, status: 'COMPLETED', output: 'done' })
})

it('when the result has expired, the repetition says so instead of running the job once more', async () => {
  const first = post('runsync?wait=30000', 'three')
  const job = await worker.take()
  await worker.done(job?.id ?? '', { output: 'done' })
  expect((await first).json).toMatchObject({ status: 'COMPLETED' })
  await expect.poll(async () => (await post('runsync', 'three')).status, { timeout: 20_000 }).toBe(404)
  expect((await post('runsync', 'three')).json['error']).toMatch(/was COMPLETED; its result expired at/)
})

it.each([
  ['another input', 'run', { input: { n: 2 } }],
  ['another policy', 'run', { input: { n: 1 }, policy: { lowPriority: true } }],
  ['the other operation', 'runsync', { input: { n: 1 } }],
])('the same key with %s is refused', async (_what, operation, body) => {
  await post('run', 'four')
  const answer = await post(operation, 'four', body)
  expect([answer.status, answer.json['error']]).toEqual([
    422,
    'this Idempotency-Key was used with another request; use a new key for a new job',
  ])
})

it('keys of different owners do not meet', async () => {
  const other = await gateway.addEndpoint({ ownerId: 'other' })
  const { plain } = await gateway.store.keys.create({ name: 'other', ownerId: 'other' })
  const send = createSend(gateway.publicUrl, { authorization: plain, 'idempotency-key': 'five' })
  const mine = await post('run', 'five')
  const theirs = await send(`/v2/${other.id}/run`, { method: 'POST', body: { input: { n: 1 } } })
  expect(theirs.status).toBe(200)
  expect(theirs.json['id']).not.toBe(mine.json['id'])
})

it('a key that is too long is refused with a sentence', async () => {
  const answer = await post('run', 'x'.repeat(256))
  expect([answer.status, answer.json['error']]).toEqual([400, '"Idempotency-Key" must be one text of 1 to 255 characters'])
})
