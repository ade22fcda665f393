import { Config } from '@runyard/schema'
import { createSend, startRedis } from '@runyard/testing'
import { expect, it } from 'vitest'
import { startGateway } from '../testing/gateway.ts'
import { isOpenFor, type Origin } from './metrics-access.ts'

const PLAIN: Origin = { ip: '127.0.0.1', headers: { host: '127.0.0.1:8080' }, raw: { httpVersion: '1.1' } }
const withHeaders = (headers: Origin['headers']): Origin => ({ ...PLAIN, headers: { ...PLAIN.headers, ...headers } })
const AUTO = Config.parse({})

it.each<[string, Origin]>([
  ['a client of this machine', PLAIN],
  ['by name', withHeaders({ host: 'localhost:8080' })],
  ['by IPv6', { ...PLAIN, ip: '::1', headers: { host: '[::1]:8080' } }],
  ['by an IPv4 address in IPv6', { ...PLAIN, ip: '::ffff:127.0.0.1' }],
])('/metrics is open on loopback to %s', (_title, request) => {
  expect(isOpenFor(AUTO, request)).toBe(true)
  expect(isOpenFor(Config.parse({ metrics: { open: 'never' } }), request)).toBe(false)
})

it.each<[string, Origin]>([
  ['X-Forwarded-For', withHeaders({ 'x-forwarded-for': '203.0.113.9' })],
  ['X-Forwarded-Proto alone', withHeaders({ 'x-forwarded-proto': 'https' })],
  ['X-Real-IP', withHeaders({ 'x-real-ip': '203.0.113.9' })],
  ['Forwarded', withHeaders({ forwarded: 'for=203.0.113.9' })],
  ['Via', withHeaders({ via: '1.1 cache' })],
  ['HTTP/1.0, as a plain nginx sends', { ...PLAIN, raw: { httpVersion: '1.0' } }],
  ['the public name in Host', withHeaders({ host: 'gpu.example.com' })],
  ['no Host', withHeaders({ host: undefined })],
  ['a peer that is another machine', { ...PLAIN, ip: '192.168.1.7' }],
])('/metrics wants a key where a request shows %s', (_title, request) => {
  expect(isOpenFor(AUTO, request)).toBe(false)
  expect(isOpenFor(Config.parse({ metrics: { open: 'always' } }), request)).toBe(true)
})

it('/metrics wants a key where the listener binds more than loopback', () => {
  expect(isOpenFor(Config.parse({ listen: { host: '0.0.0.0' } }), PLAIN)).toBe(false)
})

it('a gateway behind a proxy answers a stranger 401 and the key 200', async () => {
  await using redis = await startRedis()
  await using gateway = await startGateway(redis.url)
  const stranger = createSend(gateway.publicUrl)
  expect((await stranger('/metrics')).status).toBe(200)
  const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } }
  expect((await stranger('/metrics', forwarded)).status).toBe(401)
  expect((await gateway.call('/metrics', forwarded)).status).toBe(200)
})
