// A worker whose image brings a key of its own: the SDK polls with that one and pings with the worker's token (worker-api §2.3).
import { createSend, type Send } from '@runyard/testing'
import { afterEach, expect, it, vi } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { isFields } from '../http/json-body.ts'
import { useGateway } from '../testing/use-gateway.ts'
import { FOREIGN_KEY } from './wrong-key-polls.ts'

let gateway: TestGateway
let ep: string
let worker: TestWorker
let foreign: Send
useGateway({}, (site) => {
  ;({ gateway, ep, worker } = site)
  foreign = createSend(gateway.workerPlaneUrl, { authorization: 'rpa_of_the_image' })
  vi.spyOn(gateway.log, 'warn')
})
afterEach(() => {
  vi.restoreAllMocks()
})

const pollsOf = (facts: unknown): number => Number(isFields(facts) ? facts['polls'] : 0)
const pollAs = async (send: Send, workerId = worker.id): Promise<number> => (await send(`/v2/${ep}/job-take/${workerId}?gpu=x`)).status
const linesOf = async (id: string) => (await gateway.store.workerLogs.read(id, 'system', 10)).map(({ line }) => line)

it('finds the reason in its own log and in the operator’s, once, and is unhealthy from its next ping on', async () => {
  expect(await Promise.all([pollAs(foreign), pollAs(foreign)])).toEqual([429, 429])
  expect(await pollAs(foreign)).toBe(429)
  expect(await linesOf(worker.id)).toEqual([FOREIGN_KEY])
  const warnings = vi.mocked(gateway.log.warn).mock.calls.filter(([, text]) => String(text).includes(FOREIGN_KEY))
  expect(warnings.map(([facts]) => facts)).toEqual([{ endpointId: ep, workerId: worker.id }])
  await worker.ping()
  const record = await gateway.store.workers.get(ep, worker.id)
  expect(record?.unhealthyReason).toBe(`worker key: ${FOREIGN_KEY}`)
  expect(record?.readyAt).toBeUndefined()
  const { json } = await gateway.call(`/v2/${ep}/health`)
  expect(json['workers']).toMatchObject({ unhealthy: 1 })
})

it('cannot be feigned for a worker that polls as itself, nor for one that does not exist', async () => {
  await gateway.call(`/v2/${ep}/run`, { method: 'POST', body: { input: 1 } })
  expect(await worker.take()).toMatchObject({ input: 1 })
  expect(await Promise.all([pollAs(foreign), pollAs(foreign, 'no-such')])).toEqual([429, 429])
  await worker.ping()
  expect((await gateway.store.workers.get(ep, worker.id))?.unhealthyReason).toBeUndefined()
  expect(await linesOf('no-such')).toEqual([])
})

it('costs one log line a second where it names no worker of ours, however many come', async () => {
  const ids = Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? `stranger${n}` : `X${'y'.repeat(300)}${n}`))
  expect(new Set(await Promise.all(ids.map((id) => pollAs(foreign, id))))).toEqual(new Set([429]))
  const linesAbout = () => vi.mocked(gateway.log.warn).mock.calls.filter(([, text]) => String(text).includes('polls were refused'))
  const counted = () => linesAbout().reduce((sum, [facts]) => sum + pollsOf(facts), 0)
  await expect.poll(counted).toBeGreaterThanOrEqual(30)
  expect(linesAbout().length).toBeLessThan(4)
  expect(JSON.stringify(vi.mocked(gateway.log.warn).mock.calls)).not.toContain('yyy')
})
