// The rule that every route has a guard, and what is done with the body of a request that no route wants.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createLogger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { afterEach, describe, expect, it } from 'vitest'
import { openSocket } from '../testing/fuzz/raw-http.ts'
import { guardWith, open } from './access.ts'
import { createApp } from './app.ts'

let apps: { close(): unknown }[] = []
afterEach(async () => {
  for (const app of apps) await app.close()
  apps = []
})

function newApp() {
  const app = createApp({ log: createLogger({ name: 'test', level: 'silent' }), closing: new AbortController().signal, connections: 100 })
  apps.push(app)
  return app
}

const closed = async (): Promise<never> => {
  throw new RunyardError('unauthorized', 'unauthorized')
}

describe('a route', () => {
  it('that does not say who may call it keeps the app from starting', async () => {
    const app = newApp()
    expect(() => app.post('/tomorrow', () => 'hello')).toThrow('POST /tomorrow does not say who may call it')
    await expect(async () => {
      await app.register(async (inner) => {
        inner.get('/inner', () => 'hello')
      })
      await app.ready()
    }).rejects.toThrow('GET /inner does not say who may call it')
  })

  it('has the guard of its scope unless it names its own', async () => {
    const app = newApp()
    await app.register(async (inner) => {
      guardWith(inner, closed)
      inner.post('/closed', () => 'hello')
      inner.get('/open', { config: { access: open } }, () => 'hello')
    })
    expect((await app.inject({ method: 'POST', url: '/closed', payload: '{' })).statusCode).toBe(401)
    expect((await app.inject('/open')).body).toBe('hello')
    expect(app.admitted.count).toBe(1)
  })
})

describe('a body that is refused', () => {
  async function listenClosed(): Promise<string> {
    const app = newApp()
    app.post('/closed', { config: { access: closed } }, () => 'hello')
    return app.listen({ host: '127.0.0.1', port: 0 })
  }

  async function post(url: string, length: number): Promise<{ socket: Socket; text: () => string }> {
    const socket = await openSocket(url)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.write(`POST /closed HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`)
    return { socket, text: () => text }
  }

  it('is read to its end where that is near, and the connection serves on', async () => {
    const { socket, text } = await post(await listenClosed(), 1_000_000)
    socket.write('x'.repeat(1_000_000))
    await expect.poll(text).toContain('401 Unauthorized')
    expect(text()).toContain('keep-alive')
    socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(text).toContain('404 Not Found')
    socket.destroy()
  })

  it('is not waited for where it is longer than any: the answer comes at once and is the last', async () => {
    const { socket, text } = await post(await listenClosed(), 1_000_000_000)
    await once(socket, 'close')
    expect(text()).toMatch(/^HTTP\/1\.1 401[^]*connection: close/i)
  })

  it('is given up where it does not come', { timeout: 20_000 }, async () => {
    const { socket, text } = await post(await listenClosed(), 1000)
    await once(socket, 'close')
    expect(text()).toMatch(/^HTTP\/1\.1 401[^]*connection: close/i)
  })
})
