// A listener with as many connections as it may have.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createLogger } from '@runyard/kit'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSocket } from '../testing/fuzz/raw-http.ts'
import { open } from './access.ts'
import { createApp } from './app.ts'

let app: FastifyInstance
let url: string
let release: () => void
let sockets: Socket[]

beforeEach(async () => {
  const held = Promise.withResolvers<void>()
  release = held.resolve
  sockets = []
  app = createApp({ log: createLogger({ name: 'test', level: 'silent' }), closing: new AbortController().signal, connections: 2 })
  app.get('/held', { config: { access: open } }, async () => held.promise.then(() => 'held'))
  app.get('/quick', { config: { access: open } }, async () => 'quick')
  url = await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  release()
  for (const socket of sockets) socket.destroy()
  await app.close()
})

async function get(path: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = await openSocket(url)
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return { socket, text: () => text }
}

it('gives the place of the longest idle one to the next', async () => {
  const [first, second] = [await get('/quick'), await get('/quick')]
  for (const { text } of [first, second]) await expect.poll(text).toContain('quick')
  const closed = once(first.socket, 'close')
  const third = await get('/quick')
  await expect.poll(third.text).toContain('quick')
  await closed
  expect(second.socket.closed).toBe(false)
})

it('says in words that there is no room where all are served', async () => {
  const busy = [await get('/held'), await get('/held')]
  await expect.poll(() => app.admitted.count).toBe(2)
  const third = await get('/quick')
  await once(third.socket, 'close')
  expect(third.text()).toMatch(/^HTTP\/1\.1 503[^]*retry-after[^]*limits\.connections/)
  release()
  for (const { text } of busy) await expect.poll(text).toContain('held')
  await expect.poll(async () => (await get('/quick')).text().length >= 0).toBe(true)
})
