// HTTP and TLS on one port, with the authority that workers get.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get as getPlain } from 'node:http'
import { get as getByTls } from 'node:https'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '@runyard/kit'
import { signCertificate } from './certificates.ts'
import { open } from './http/access.ts'
import { createApp } from './http/app.ts'
import { acceptTls } from './accept-tls.ts'

const directory = mkdtempSync(join(tmpdir(), 'runyard-plane-'))
let app: FastifyInstance
let port: number

beforeEach(async () => {
  const log = createLogger({ name: 'test', level: 'silent' })
  app = createApp({ log, connections: 10, closing: new AbortController().signal })
  app.post('/echo', { config: { access: open } }, (request) => request.body)
  app.get('/', { config: { access: open } }, () => ({ ok: true }))
  await acceptTls(app, { directory, log })
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
})
afterEach(async () => {
  await app.close()
})

const authority = (): string => readFileSync(join(directory, 'ca.pem'), 'utf8')

function askByTls(servername: string, ca = authority()): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = getByTls({ host: '127.0.0.1', port, servername, ca, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
  })
}

test('a port answers by TLS for the names of the worker plane, and by plain HTTP', async () => {
  for (const name of ['runyard.internal', 'flash.runyard.internal', 'runyard.localhost', 'flash.runyard.localhost']) {
    expect(await askByTls(name)).toBe(200)
  }
  await expect(askByTls('elsewhere.test')).rejects.toThrow('altnames')
  await expect(askByTls('runyard.internal', '')).rejects.toThrow('certificate')
  const [response] = await once(getPlain({ host: '127.0.0.1', port, agent: false }), 'response')
  expect(response.resume().statusCode).toBe(200)
})

test('a long body by plain HTTP arrives whole on a connection that is kept', async () => {
  const text = 'x'.repeat(60_000)
  for (let round = 0; round < 3; round += 1) {
    const reply = await fetch(`http://127.0.0.1:${port}/echo`, { method: 'POST', body: JSON.stringify({ text }) })
    expect(await reply.json()).toEqual({ text })
  }
})

test('a connection that says nothing, and one that ends at once, hold up no close', async () => {
  const silent = connect(port, '127.0.0.1')
  const brief = connect(port, '127.0.0.1')
  await Promise.all([once(silent, 'connect'), once(brief, 'connect')])
  brief.end()
  expect(await askByTls('runyard.internal')).toBe(200)
  const closed = once(silent, 'close')
  await app.close()
  await closed
})

test('gateways that start together have one authority', async () => {
  const shared = join(directory, 'shared')
  await Promise.all(Array.from({ length: 4 }, async () => signCertificate(shared, ['runyard.internal'])))
  const before = readFileSync(join(shared, 'ca.pem'), 'utf8')
  const { cert } = await signCertificate(shared, ['runyard.internal'])
  expect(cert).toContain(before.trim())
  expect(readFileSync(join(shared, 'ca.key'), 'utf8')).toContain(before.trim())
  rmSync(directory, { recursive: true })
})
