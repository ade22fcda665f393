import { beforeEach, expect, it } from 'vitest'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

let gateway: TestGateway
useGateway({ redis: { url: 'redis://me:pa55word@box:6379' }, log: { level: 'silent' } }, (site) => {
  ;({ gateway } = site)
})
beforeEach(() => gateway.store.hosts.putRest('h1', { what: 'gpus', count: 1, lastAt: 1, message: 'm' }))

const cordonOf = async () => (await gateway.store.hosts.list()).find(({ hostId }) => hostId === 'h1')?.cordon
async function keyOf(ownerId: string, scopes: readonly ('view' | 'admin')[]) {
  const { plain } = await gateway.store.keys.create({ name: 'other', ownerId, scopes: [...scopes] })
  return { authorization: `Bearer ${plain}` }
}

it('shows the effective configuration to the operator, without its secrets', async () => {
  const headers = await keyOf('owner', ['view'])
  const { status, json, text } = await gateway.call('/runyard/v1/config', { headers })
  expect(status).toBe(200)
  expect(json['settings']).toContainEqual(expect.objectContaining({ key: 'log.level', value: 'silent', variable: 'RUNYARD_LOG_LEVEL' }))
  expect(json['settings']).toContainEqual(expect.objectContaining({ key: 'caBundle', value: null, from: 'default' }))
  expect(text).not.toContain('pa55word')
})

it('cordons a host, drains it and gives it workers again', async () => {
  const at = '/runyard/v1/hosts/h1/cordon'
  expect(await gateway.call(at, { method: 'PUT', body: { reason: 'a fan fails' } })).toMatchObject({
    status: 200,
    json: { reason: 'a fan fails' },
  })
  expect(await cordonOf()).toMatchObject({ reason: 'a fan fails' })
  await gateway.call(at, { method: 'PUT', body: { reason: 'a fan fails', drain: true } })
  expect(await cordonOf()).toMatchObject({ drain: true })
  expect(await gateway.call(at, { method: 'DELETE' })).toMatchObject({ status: 204 })
  expect(await cordonOf()).toBeUndefined()
})

it('lists hosts with their workers and cards in quarantine, releases a card, and forgets a host', async () => {
  const [kind, cause] = ['quarantined', 'lost'] as const
  const claim = { kind, since: 1, quarantines: [1], cause, message: 'it is gone', hostId: 'h1' }
  await gateway.store.cards.putClaim({ uuid: 'GPU-7', claimText: '' }, claim)
  const rest = { what: 'gpus', count: 1, lastAt: 1, message: 'm' }
  expect((await gateway.call('/runyard/v1/hosts')).json['hosts']).toEqual([
    { id: 'h1', sight: null, rest, workers: [], cards: [{ uuid: 'GPU-7', claim }] },
  ])
  const release = (uuid: string) => gateway.call(`/runyard/v1/hosts/h1/gpus/${uuid}/release`, { method: 'POST' })
  expect(await release('GPU-7')).toMatchObject({ status: 200, json: { uuid: 'GPU-7', isListed: false } })
  expect(await release('GPU-7')).toMatchObject({ status: 404, json: { detail: 'No GPU "GPU-7" of this host is in quarantine.' } })
  expect((await gateway.call('/runyard/v1/hosts/h1', { method: 'DELETE' })).status).toBe(204)
  expect((await gateway.call('/runyard/v1/hosts')).json['hosts']).toEqual([])
})

it('says what is wrong in one sentence', async () => {
  expect(await gateway.call('/runyard/v1/hosts/moon/cordon', { method: 'PUT', body: { reason: 'x' } })).toMatchObject({
    status: 404,
    json: { detail: 'There is no host "moon".' },
  })
  const blank = await gateway.call('/runyard/v1/hosts/h1/cordon', { method: 'PUT', body: { reason: ' ' } })
  expect(blank.status).toBe(422)
  expect(blank.text).toContain('must say why')
})

it('is closed to keys of other owners, and cordons need the scope admin', async () => {
  const other = await keyOf('team', ['admin'])
  const viewer = await keyOf('owner', ['view'])
  const put = { method: 'PUT', body: { reason: 'x' } }
  expect((await gateway.call('/runyard/v1/config', { headers: other })).status).toBe(403)
  expect((await gateway.call('/runyard/v1/hosts', { headers: other })).status).toBe(403)
  expect((await gateway.call('/runyard/v1/hosts/h1/cordon', { ...put, headers: other })).status).toBe(403)
  expect((await gateway.call('/runyard/v1/hosts/h1/cordon', { ...put, headers: viewer })).status).toBe(403)
  expect(await cordonOf()).toBeUndefined()
})
