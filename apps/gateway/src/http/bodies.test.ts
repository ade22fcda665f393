// Large bodies share the thread: what is read of them, and what is looked at, comes in slices.
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate as nextTick } from 'node:timers/promises'
import { createLogger } from '@runyard/kit'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { open } from './access.ts'
import { createApp } from './app.ts'
import { readBodies } from './bodies.ts'
import { bytesOf, isUtf8InTurns } from './json-body.ts'
import { createPace } from './turns.ts'

const MIB = 1024 * 1024
let close = async (): Promise<void> => {}
afterEach(() => close())

async function listen(): Promise<string> {
  const app = createApp({ log: createLogger({ name: 'test', level: 'silent' }), closing: new AbortController().signal, connections: 10 })
  close = async () => app.close()
  await app.register(async (scope) => {
    readBodies(scope, 'bytes')
    scope.post('/echo', { config: { access: open }, bodyLimit: 8 * MIB }, (request, reply) => reply.send(bytesOf(request)))
  })
  return `${await app.listen({ host: '127.0.0.1', port: 0 })}/echo`
}

it.each([
  ['none', 0],
  ['a small one', 1000],
  ['one that is joined at once', MIB],
  ['one that is joined in slices', 5 * MIB + 7],
])('a body comes as it was sent: %s', async (_what, length) => {
  const url = await listen()
  const sent = Buffer.alloc(length, 'abcdefghijk')
  const wanted = length === 0 ? Buffer.from('{}') : sent
  const answer = await fetch(url, { method: 'POST', body: sent })
  expect(wanted.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
  const inPieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < length; at += 100_000) controller.enqueue(sent.subarray(at, at + 100_000))
      controller.close()
    },
  })
  const chunked = await fetch(url, { method: 'POST', body: inPieces, duplex: 'half' })
  expect(wanted.equals(Buffer.from(await chunked.arrayBuffer()))).toBe(true)
})

it('a body that is too long is refused, whether or not it says how long it is', async () => {
  const url = await listen()
  const long = Buffer.alloc(9 * MIB)
  expect((await fetch(url, { method: 'POST', body: long })).status).toBe(413)
  const inPieces = Readable.toWeb(Readable.from(Array.from({ length: 144 }, () => Buffer.alloc(64 * 1024))))
  expect((await fetch(url, { method: 'POST', body: inPieces, duplex: 'half' })).status).toBe(413)
})

describe('a client that waits to be asked for its body (Expect: 100-continue)', () => {
  const send = async (url: string, body: Buffer) => {
    const headers = { expect: '100-continue', 'content-length': body.length, 'content-type': 'application/json' }
    const call = httpRequest(url, { method: 'POST', headers })
    let isAsked = false
    call.on('continue', () => {
      isAsked = true
      call.end(body)
    })
    call.flushHeaders()
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    const text = Buffer.concat(await answer.toArray()).toString()
    call.destroy()
    return { isAsked, status: answer.statusCode, connection: answer.headers.connection, text }
  }

  it('is asked where the route reads it', async () => {
    const answer = await send(await listen(), Buffer.from('{"a":1}'))
    expect(answer).toEqual({ isAsked: true, status: 200, connection: 'keep-alive', text: '{"a":1}' })
  })

  it.each([
    ['that is too long', '', 413, 9 * MIB],
    ['for a route that does not exist', '-nowhere', 404, 100],
  ])('is not asked for one %s', async (_what, path, status, length) => {
    const answer = await send(`${await listen()}${path}`, Buffer.alloc(length))
    expect(answer).toMatchObject({ isAsked: false, status, connection: 'close' })
  })
})

it('a stream at its pace lets others have their turns', async () => {
  const stream = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024)))
  const pace = createPace(stream)
  let since = 0
  let most = 0
  stream.on('data', (chunk: Buffer) => {
    since += chunk.length
    most = Math.max(most, since)
    pace.took(chunk.length)
  })
  for (let ended = false; !ended; since = 0) {
    await nextTick()
    ended = stream.readableEnded
  }
  expect(most).toBeLessThanOrEqual(512 * 1024)
})

it('a text that is looked at in slices is UTF-8 if the whole is, wherever a slice ends', async () => {
  const letters = fc.constantFrom(
    ...['61', 'c3a9', 'e282ac', 'f09f9880', '80', 'c3', 'e282', 'f09f98', 'ff'].map((hex) => Buffer.from(hex, 'hex')),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(letters, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 12 }), async (middle, shift) => {
      const text = Buffer.concat([Buffer.alloc(MIB - shift, 'a'), ...middle, Buffer.alloc(MIB, 'b')])
      expect(await isUtf8InTurns(text)).toBe(isUtf8(text))
    }),
    { numRuns: 60 },
  )
})
