// Notices to the operator (ADR 83): what happened to a pool on a real Redis, posted to a real receiver by the courier of webhooks.
import type { HostSight, OpenNotice } from '@runyard/schema'
import { noticeChanges, noticeKey, type NoticeBody } from '@runyard/core'
import { createSend, type Receiver, startReceiver, startRedis, type TestRedis } from '@runyard/testing'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { startGateway, type TestGateway } from '../testing/gateway.ts'

const WAIT = { timeout: 20_000 }
let redis: TestRedis
let scope: AsyncDisposableStack
let to: Receiver
beforeAll(async () => {
  redis = await startRedis()
})
beforeEach(async () => {
  scope = new AsyncDisposableStack()
  to = scope.use(await startReceiver())
})
afterEach(async () => {
  vi.useRealTimers()
  await scope.disposeAsync()
})
afterAll(() => redis.stop())

const open = async (notify: readonly object[], prefix?: string): Promise<TestGateway> => {
  const config = { notify, webhooks: { allowPrivate: true, retryDelaysS: [0.1] } }
  return scope.use(await startGateway(redis.url, config, prefix === undefined ? {} : { prefix }))
}

function sight(health: HostSight['health']): HostSight {
  return {
    health,
    label: 'box',
    kind: 'docker',
    at: Date.now(),
    claims: {},
    ...(health === 'unreachable' ? { problem: 'box does not answer' } : {}),
  }
}

const reported = (): readonly Pick<NoticeBody, 'event' | 'state' | 'subject' | 'message'>[] =>
  to.received.map(({ body }) => {
    const { event, state, subject, message } = JSON.parse(body) as NoticeBody
    return { event, state, subject, message }
  })

const later = (ms: number): void => void vi.useFakeTimers({ now: Date.now() + ms, toFake: ['Date'] })

it('a lost host is reported once by two gateways, signed, and resolved a minute after it is back', async () => {
  const prefix = `notices${Date.now()}`
  const [one, two] = [await open([{ url: to.url }], prefix), await open([{ url: to.url }], prefix)]
  await one.store.hosts.putSight('h', sight('unreachable'))
  for (let look = 0; look < 3; look += 1) await Promise.all([one.notices.tick(), two.notices.tick()])
  const opened = { event: 'host_lost', state: 'opened', subject: 'box', message: 'box does not answer' }
  await expect.poll(reported, WAIT).toEqual([opened])
  const [first] = to.received
  const [secret = ''] = await one.store.webhooks.secrets('owner')
  expect(() => new Webhook(secret).verify(first?.body ?? '', first?.headers as Record<string, string>)).not.toThrow()
  expect((await one.call('/runyard/v1/notices')).json).toMatchObject({
    notices: [{ event: 'host_lost', subject: 'box', since: expect.any(String) }],
  })

  await one.store.hosts.putSight('h', sight('ready'))
  for (const gateway of [one, two]) await gateway.notices.tick()
  later(61_000)
  await one.store.hosts.putSight('h', sight('ready'))
  for (let look = 0; look < 2; look += 1) await Promise.all([one.notices.tick(), two.notices.tick()])
  await expect.poll(reported, WAIT).toEqual([opened, { ...opened, state: 'resolved' }])
  expect((await one.call('/runyard/v1/notices')).json).toEqual({ notices: [] })
})

it('cards, endpoints and Redis that need a person are reported to the receivers of that event', async () => {
  const other = scope.use(await startReceiver())
  const gateway = await open([
    { url: to.url, on: ['gpu_quarantined', 'endpoint_crash_loop'] },
    { url: other.url, on: ['release_failed', 'store_problem'] },
  ])
  const { store } = gateway
  const fault = { kind: 'quarantined' as const, since: 1, quarantines: [1], cause: 'reset' as const, message: 'needs a reset' }
  await store.cards.putClaim({ uuid: 'GPU-1', claimText: '' }, fault)
  const { id, spec, specHash, type } = await gateway.addEndpoint({ name: 'new' })
  const old = await gateway.addEndpoint({ name: 'old', goodRelease: { spec, specHash, type, at: 1 }, specHash })
  const status = { at: Date.now(), throttled: 0, unhealthy: 1, reason: 'backing_off', message: 'earlier workers failed to start' } as const
  for (const endpointId of [id, old.id]) await store.status.put(endpointId, status)
  await gateway.notices.tick()
  const words = (list: readonly { readonly body: string }[]) =>
    list
      .map(({ body }) => JSON.parse(body) as NoticeBody)
      .map(({ event, subject }) => `${event} ${subject}`)
      .toSorted()
  await expect.poll(() => words(to.received), WAIT).toEqual(['endpoint_crash_loop old', 'gpu_quarantined GPU-1'])
  // The Redis of the tests keeps nothing on its disk.
  await expect.poll(() => words(other.received), WAIT).toEqual(expect.arrayContaining(['release_failed new']))
  const kinds = (await store.problems()).map(({ kind }) => `store_problem ${kind}`)
  expect(words(other.received)).toEqual(['release_failed new', ...kinds].toSorted())
  const stranger = (await store.keys.create({ name: 's', ownerId: 'stranger' })).plain
  const theirs = createSend(gateway.publicUrl, { authorization: `Bearer ${stranger}` })
  expect((await theirs('/runyard/v1/notices')).text).not.toContain('release_failed')
  expect((await theirs('/runyard/v1/notices/test', { method: 'POST' })).status).toBe(403)
})

it('a test is sent at once and says what each receiver answered', async () => {
  const gateway = await open([{ url: `${to.url}?token=secret` }, { url: 'http://127.0.0.1:1/' }])
  const { json } = await gateway.call('/runyard/v1/notices/test', { method: 'POST' })
  expect(json).toEqual({
    receivers: [
      { url: new URL(to.url).origin, isDelivered: true, message: 'the receiver answered 200' },
      { url: 'http://127.0.0.1:1', isDelivered: false, message: expect.stringContaining('ECONNREFUSED') },
    ],
  })
  expect(reported()).toMatchObject([{ event: 'test', state: 'opened' }])
})

it('a Redis that is away for half a minute is reported without it, signed with a secret from before', async () => {
  const own = await startRedis()
  const gateway = scope.use(
    await startGateway(own.url, { notify: [{ url: to.url, on: ['store_away'] }], webhooks: { allowPrivate: true } }),
  )
  await gateway.notices.tick()
  await own.stop()
  await expect.poll(() => gateway.store.isUp(), WAIT).toBe(false)
  await gateway.notices.tick()
  expect(reported()).toEqual([])
  later(31_000)
  await gateway.notices.tick()
  await gateway.notices.tick()
  expect(reported()).toMatchObject([{ event: 'store_away', state: 'opened' }])
  expect(to.received[0]?.headers['webhook-signature']).toMatch(/^v1,/)
})

it('what comes back within a minute was never away, and what flaps is reported once', () => {
  const problem = { event: 'host_lost', subject: 'box', message: 'gone' } as const
  const notice: OpenNotice = { id: '1', ...problem, since: 0 }
  const at = (now: number, current: readonly (typeof problem)[], since?: number) =>
    noticeChanges([notice], current, {
      now,
      newId: () => '2',
      missingSince: new Map(since === undefined ? [] : [[noticeKey(problem), since]]),
    })
  expect(at(1000, [problem])).toEqual([])
  expect(at(1000, [])).toEqual([])
  expect(at(60_000, [], 1000)).toEqual([])
  expect(at(61_000, [], 1000)).toEqual([{ kind: 'resolved', notice }])
})
