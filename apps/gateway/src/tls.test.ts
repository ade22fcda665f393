// TLS beside the plain listener: certificates of Runyard's own authority, which clients verify, and given ones; routes by Host work as they do without.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Config } from '@runyard/schema'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ownCertificate } from './certificates.ts'
import { useGateways } from './testing/use-gateway.ts'
import type { TestGateway } from './testing/gateway.ts'
import { listenTls, namesOf, type TlsListener } from './tls.ts'

const DAY_MS = 86_400_000
const start = useGateways()
const directory = mkdtempSync(join(tmpdir(), 'runyard-tls-'))
const file = (name: string): string => join(directory, 'tls', name)
let gateway: TestGateway
let listener: TlsListener
beforeAll(async () => {
  gateway = await start()
  const config = Config.parse({ tls: { port: 0 } })
  const opened = await listenTls(gateway.apps.publicApp, { config, dataDir: directory, log: gateway.log })
  if (opened === undefined) throw new Error('TLS is off')
  listener = opened
})
afterAll(async () => {
  await listener[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function ask(host: string, { path = '/healthz', ca = readFileSync(file('bundle.pem')) } = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host: `${host}:${listener.port}`, authorization: `Bearer ${gateway.key}` }
    const sent = request({ host: '127.0.0.1', servername: host, port: listener.port, path, headers, ca, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject).end()
  })
}

describe('the listener by TLS', () => {
  test('has a certificate for the base names and for one label below them', async () => {
    for (const host of ['localhost', 'api.localhost']) expect((await ask(host)).status).toBe(200)
    await expect(ask('elsewhere.test')).rejects.toThrow('altnames')
  })

  test('is not trusted without the authority', async () => {
    await expect(ask('localhost', { ca: Buffer.from('') })).rejects.toThrow('certificate')
  })

  test('serves endpoints by Host', async () => {
    const { id } = await gateway.addEndpoint({ type: 'LOAD_BALANCER' }, { workersMax: 0 })
    expect(await ask(`${id}.api.localhost`, { path: '/a' })).toMatchObject({ status: 504, text: expect.stringContaining('paused') })
    expect((await ask('nosuch.api.localhost', { path: '/a' })).status).toBe(404)
  })
})

test('when its certificate ends is a metric, and a notice two weeks before', async () => {
  const near = await start({ tls: { port: 0, cert: file('server.pem'), key: file('server.key') } })
  const line = /^runyard_certificate_expires_timestamp_seconds (\d+)$/mu.exec((await near.call('/metrics')).text)
  const days = (Number(line?.[1]) * 1000 - Date.now()) / DAY_MS
  expect(days).toBeGreaterThan(89)
  expect((await near.call('/runyard/v1/notices')).text).not.toContain('certificate_expires')
  vi.useFakeTimers({ now: Date.now() + 80 * DAY_MS, toFake: ['Date'] })
  const { text } = await near.call('/runyard/v1/notices')
  vi.useRealTimers()
  expect(text).toContain(`The certificate ${file('server.pem')} expires at`)
})

describe('the files', () => {
  test('of keys are readable by this user alone', () => {
    for (const name of ['ca.key', 'server.key']) expect(statSync(file(name)).mode & 0o777).toBe(0o600)
  })

  test('stay as they are, but for a certificate that ends soon or lacks a name', async () => {
    const names = namesOf(Config.parse({}))
    const own = join(directory, 'own')
    const first = await ownCertificate(own, names)
    expect(await ownCertificate(own, names)).toEqual(first)
    const authority = readFileSync(join(own, 'ca.pem'), 'utf8')
    const later = await ownCertificate(own, names, Date.now() + 61 * DAY_MS)
    expect(later.cert).not.toBe(first.cert)
    expect((await ownCertificate(own, [...names, 'x.test'])).cert).not.toBe(later.cert)
    expect(readFileSync(join(own, 'ca.pem'), 'utf8')).toBe(authority)
  })

  test('may be given, both of them', async () => {
    const { key, cert } = await ownCertificate(join(directory, 'given'), ['localhost'])
    const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    writeFileSync(certPath, cert)
    writeFileSync(keyPath, key)
    const dataDir = join(directory, 'unused')
    const open = (tls: object) =>
      listenTls(gateway.apps.publicApp, { config: Config.parse({ tls: { port: 0, ...tls } }), dataDir, log: gateway.log })
    await using given = await open({ cert: certPath, key: keyPath })
    expect(given?.port).toBeGreaterThan(0)
    expect(existsSync(join(dataDir, 'tls'))).toBe(false)
    await expect(open({ cert: certPath })).rejects.toThrow('belong together')
    await expect(open({ cert: 'nosuch.pem', key: keyPath })).rejects.toThrow('cannot be read')
  })
})
