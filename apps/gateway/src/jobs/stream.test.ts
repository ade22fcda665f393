// What happens to a stream's chunks with the answer that delivers them, at two gateways of one Redis (client-api §5.5 "two readers", ADR 25). The answers
// are larger than what fits into sockets, so one that is not read stays under way.
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Answer } from '@runyard/testing'
import { toJson } from '@runyard/schema'
import { beforeAll, expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const COUNT = 100
const PAD = 'x'.repeat(250_000)

const startGateway = useGateways()
let one: TestGateway
let other: TestGateway
let ep: string

beforeAll(async () => {
  one = await startGateway({}, { prefix: 'shared' })
  other = await startGateway({}, { prefix: 'shared' })
  ep = (await one.addEndpoint()).id
})

/** A job that ended with more chunks than sockets hold. */
async function endedStream(): Promise<string> {
  const worker = await one.addWorker(ep)
  const id = String((await one.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })).json['id'])
  expect((await worker.take())?.id).toBe(id)
  for (let n = 0; n < COUNT; n += 1)
    await one.store.jobs.appendChunk({ endpointId: ep, jobId: id, workerId: worker.id, chunk: toJson({ output: n, PAD }) })
  await worker.done(id, { output: 'end' })
  return id
}

/** An answer that has begun and is not read yet. */
async function openAnswer(id: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  get(`${one.publicUrl}/v2/${ep}/stream/${id}`, { agent: false, headers: { authorization: one.key } }, resolve).once('error', reject)
  return promise
}

const streamAtOther = (id: string, query: string): Promise<Answer> => other.call(`/v2/${ep}/stream/${id}${query}`)
const numbersOf = ({ stream }: { stream?: unknown }): unknown => (stream as { output: number }[]).map(({ output }) => output)
const ALL = Array.from({ length: COUNT }, (_, n) => n)

it('the chunks of an answer that breaks off go to the next reader, who waits for them meanwhile and gets no end', async () => {
  const id = await endedStream()
  const slow = await openAnswer(id)
  expect((await streamAtOther(id, '?wait=1000')).json).toEqual({ status: 'IN_PROGRESS', stream: [] })
  const waiting = streamAtOther(id, '?wait=60000')
  slow.destroy()
  const { json } = await waiting
  expect([json['status'], numbersOf(json)]).toEqual(['COMPLETED', ALL])
  expect((await streamAtOther(id, '')).json).toEqual({ status: 'COMPLETED', stream: [] })
})

it('the chunks of an answer that is read to its end go to no other reader, who then gets the end', async () => {
  const id = await endedStream()
  const slow = await openAnswer(id)
  const waiting = streamAtOther(id, '?wait=60000')
  const delivered = JSON.parse(await text(slow)) as Record<string, unknown>
  expect([delivered['status'], numbersOf(delivered)]).toEqual(['COMPLETED', ALL])
  expect((await waiting).json).toEqual({ status: 'COMPLETED', stream: [] })
})

it('an answer that ends while Redis is away counts as delivered once it is back', async () => {
  const id = await endedStream()
  const slow = await openAnswer(id)
  await startGateway.redis().kill()
  await expect.poll(() => one.store.isUp()).toBe(false)
  expect(numbersOf(JSON.parse(await text(slow)) as Record<string, unknown>)).toEqual(ALL)
  await startGateway.redis().restart()
  const left = async () => (await one.store.jobs.readChunks(ep, id, { from: 0, limit: 1 }).catch(() => undefined))?.chunks
  await expect.poll(left, { timeout: 30_000 }).toEqual([])
  // The gateways reconnect independently; until the other one has, it answers 503.
  await expect.poll(() => other.store.isUp()).toBe(true)
  expect((await streamAtOther(id, '')).json).toEqual({ status: 'COMPLETED', stream: [] })
})
