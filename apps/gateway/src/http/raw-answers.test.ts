// What comes before any route: requests that are none, and the two forms of a request's target.
import { beforeAll, expect, it } from 'vitest'
import { sendRaw } from '../testing/fuzz/raw-http.ts'
import type { TestGateway } from '../testing/gateway.ts'
import { useGateways } from '../testing/use-gateway.ts'

const PATIENCE_MS = 10_000

const startGateway = useGateways()
let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
const send = (text: string) => sendRaw(gateway.publicUrl, Buffer.from(text, 'latin1'), PATIENCE_MS)

type Case = readonly [what: string, text: string, status: number, sentence: RegExp]

/** A body whose end a balancer may see elsewhere: what follows would be another client's next request (RFC 9112 §11.2). */
function framings(): readonly Case[] {
  const next = '0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
  const headers = {
    'a length beside chunks': ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    'chunks beside a length': ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    'chunks behind a blank': ['Transfer-Encoding : chunked'],
    'an unknown coding': ['Transfer-Encoding: xchunked'],
    'chunks that are not the last coding': ['Transfer-Encoding: chunked, identity'],
    'two lengths': ['Content-Length: 0', 'Content-Length: 5'],
    'a length with a sign': ['Content-Length: +5'],
    'a folded header': ['X-A: b', ' Transfer-Encoding: chunked', 'Content-Length: 5'],
  }
  return Object.entries(headers).map(([what, lines]) => {
    const text = [`POST /v2/x/run HTTP/1.1`, 'Host: x', ...lines, '', next].join('\r\n')
    return [what, text, 400, /not an HTTP\/1.1 request/]
  })
}

it.each<Case>([
  ['lines without a return', 'GET /healthz HTTP/1.1\nhost: x\n\n', 400, /not an HTTP\/1.1 request/],
  ['no HTTP', 'hello there\r\n\r\n', 400, /not an HTTP\/1.1 request/],
  ['the beginning of TLS', '\x16\x03\x01\x02\x00\x01', 400, /not an HTTP\/1.1 request/],
  ['an unknown method', 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n', 400, /not an HTTP\/1.1 request/],
  ['a length that is no number', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n', 400, /not an HTTP\/1.1 request/],
  ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`, 431, /headers of the request are too large/],
  ...framings(),
])('%s is answered with a code and a sentence', async (_, text, status, sentence) => {
  const answer = await send(text)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body)).toEqual({ error: expect.stringMatching(sentence), message: expect.stringMatching(sentence) })
})

it('a request whose target names scheme and host, as through a proxy, is the same request', async () => {
  const { id } = await gateway.addEndpoint()
  for (const target of [`http://any.example:80/v2/${id}/health?a=//b`, `HTTPS://any.example//v2//${id}/health`]) {
    const answer = await send(`GET ${target} HTTP/1.1\r\nhost: x\r\nauthorization: ${gateway.key}\r\nconnection: close\r\n\r\n`)
    expect([target, answer.status]).toEqual([target, 200])
  }
})
