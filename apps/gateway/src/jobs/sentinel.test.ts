// Calls of deployed apps by the names of app, environment and resource, on both listeners (flash-api §5.8, sdk2-api §4.1–4.4).
import { beforeEach, describe, expect, it } from 'vitest'
import type { Endpoint } from '@runyard/schema'
import { createSend, type Send } from '@runyard/testing'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
let endpoint: Endpoint
let worker: TestWorker
let call: Send
let plane: Send
let n = 0
const NAMES = () => ({ 'x-flash-app': `shop${n}`, 'x-flash-environment': 'production', 'x-flash-endpoint': 'greet' })

useGateway({}, (site) => {
  ;({ gateway } = site)
})
beforeEach(async () => {
  n += 1
  const common = { ownerId: 'owner', createdAt: 1 }
  const request = { ownerId: 'owner', now: 1, id: undefined, randomText: () => '', sha256: () => '' }
  const app = { ...common, id: `app${n}`, name: `shop${n}` }
  const environment = { ...common, id: `env${n}`, name: 'production', appId: app.id, activeBuildId: null }
  await gateway.store.resources.apps.save({ ...request, edit: () => app })
  await gateway.store.resources.environments.save({ ...request, edit: () => environment })
  endpoint = await gateway.addEndpoint({ name: 'greet', flashEnvironmentId: environment.id })
  worker = await gateway.addWorker(endpoint.id)
  const headers = { authorization: `Bearer ${gateway.key}`, ...NAMES() }
  call = createSend(gateway.publicUrl, headers)
  plane = createSend(gateway.workerPlaneUrl, headers)
})

const post = (send: Send, path: string, input: unknown = { a: 1 }, headers = {}) =>
  send(`/v2/flash/${path}`, { method: 'POST', body: { input }, headers })

describe('a call', () => {
  it.each(['public listener', 'worker plane'])('without a wait is held until its job ends, on the %s', async (listener) => {
    const answer = post(listener === 'public listener' ? call : plane, 'runsync', { __empty: true })
    const job = await worker.take()
    expect(job?.input).toEqual({ __empty: true })
    await worker.done(job?.id ?? '', { output: null })
    expect((await answer).json).toMatchObject({ id: job?.id, status: 'COMPLETED', output: null })
  })

  it('reports a failure', async () => {
    const answer = post(call, 'runsync')
    const job = await worker.take()
    await worker.done(job?.id ?? '', { error: 'no', output: { success: false } })
    expect((await answer).json).toMatchObject({ status: 'FAILED', error: 'no', output: { success: false } })
  })

  it('with a wait gets the state at its end', async () => {
    const { json } = await post(call, 'runsync?wait=1000')
    expect(json).toMatchObject({ id: expect.any(String), status: 'IN_QUEUE' })
  })
})

describe('every operation', () => {
  it('works by names: run, status, stream, retry and cancel', async () => {
    const { id } = (await post(call, 'run')).as<{ id: string }>()
    expect((await call(`/v2/flash/status/${id}`)).json).toMatchObject({ id, status: 'IN_QUEUE' })
    expect((await worker.take())?.id).toBe(id)
    await worker.done(id, { error: 'no' })
    expect((await call(`/v2/flash/stream/${id}`)).json).toMatchObject({ status: 'FAILED', stream: [] })
    expect((await call(`/v2/flash/retry/${id}`, { method: 'POST' })).json).toEqual({ id, status: 'IN_QUEUE' })
    expect((await call(`/v2/flash/cancel/${id}`, { method: 'POST' })).json).toEqual({ id, status: 'CANCELLED' })
  })

  it('finds the endpoint without the prefix and suffix of Flash, and by its id', async () => {
    for (const name of ['live-greet', 'greet-fb', endpoint.id])
      expect((await post(call, 'run', 1, { 'x-flash-endpoint': name })).status).toBe(200)
  })
})

describe('is refused', () => {
  it.each([
    ['no names', { 'x-flash-app': '', 'x-flash-endpoint': '' }, 'names it in the headers X-Flash-App'],
    ['an unknown app', { 'x-flash-app': 'other' }, 'there is no app "other"; deploy it'],
    ['an unknown environment', { 'x-flash-environment': 'default' }, 'has no environment "default"'],
    ['an unknown resource', { 'x-flash-endpoint': 'other' }, 'has no endpoint "other"'],
  ])('with 404 and a sentence for %s', async (_what, headers, sentence) => {
    const { status, json } = await post(call, 'runsync', 1, headers)
    expect([status, json['error']]).toEqual([404, expect.stringContaining(sentence)])
  })

  it('with 401 for a wrong key before any name is looked at, and with 404 for the key of another owner', async () => {
    expect((await post(call, 'runsync', 1, { authorization: 'Bearer wrong', 'x-flash-app': 'other' })).status).toBe(401)
    const { plain } = await gateway.store.keys.create({ name: 'test', ownerId: 'somebody else' })
    for (const name of ['greet', endpoint.id])
      expect((await post(call, 'runsync', 1, { authorization: `Bearer ${plain}`, 'x-flash-endpoint': name })).status).toBe(404)
  })

  it('once the endpoint is deleted or belongs to another environment', async () => {
    expect((await post(call, 'run')).status).toBe(200)
    await gateway.store.endpoints.upsert({ id: endpoint.id }, (current) => ({ ...(current ?? endpoint), flashEnvironmentId: null }))
    await expect.poll(async () => (await post(call, 'run')).status).toBe(404)
    await gateway.store.endpoints.upsert({ id: endpoint.id }, (current) => ({ ...(current ?? endpoint), flashEnvironmentId: `env${n}` }))
    await expect.poll(async () => (await post(call, 'run')).status).toBe(200)
    await gateway.store.endpoints.delete(endpoint.id)
    await expect.poll(async () => (await post(call, 'run')).status).toBe(404)
  })
})
