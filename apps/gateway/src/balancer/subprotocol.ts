// The key of a WebSocket among its subprotocols (ADR 78), since pages in a browser can send no header: `new WebSocket(url, ['runyard',
// 'runyard.bearer.<key>', …])`. The worker sees neither of the two. A browser fails a socket for which none of its subprotocols was chosen, so the
// gateway chooses `runyard` where the app has chosen none.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Credentials } from '../http/authenticate.ts'

const OURS = 'runyard'
const BEARER = 'runyard.bearer.'
const HEADER = 'sec-websocket-protocol'
/** As Node's own limit of a head. */
const MOST_HEAD_BYTES = 16 * 1024
const END_OF_HEAD = '\r\n\r\n'

type Handshake = Pick<IncomingMessage, 'headers'>

/** An Authorization header wins. */
export function handshakeCredentials({ headers }: Handshake): Credentials {
  const { authorization = '' } = headers
  if (authorization !== '') return { headers: { authorization } }
  const bearer = offered(headers[HEADER]).find((name) => name.startsWith(BEARER))
  return { headers: { authorization: bearer && decoded(bearer.slice(BEARER.length)) } }
}

/** What the worker is offered; names and values alternate. */
export function withoutOurs(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    const left =
      name.toLowerCase() === HEADER
        ? offered(value)
            .filter((one) => one !== OURS && !one.startsWith(BEARER))
            .join(', ')
        : value
    if (name.toLowerCase() !== HEADER || left !== '') kept.push(name, left)
  }
  return kept
}

/** Passes the worker's answer on, with `runyard` as the subprotocol if the client offered it and the app chose none. */
export function passAnswer({ headers }: Handshake, upstream: Duplex, client: Duplex): void {
  if (!offered(headers[HEADER]).includes(OURS)) return void upstream.pipe(client)
  let head = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf(END_OF_HEAD)
    if (end === -1 && head.length < MOST_HEAD_BYTES) return
    upstream.off('data', read)
    client.write(end === -1 ? head : Buffer.concat([Buffer.from(withOurs(head.toString('latin1', 0, end)), 'latin1'), head.subarray(end)]))
    upstream.pipe(client)
  }
  upstream.on('data', read)
}

function withOurs(head: string): string {
  const accepts = head.startsWith('HTTP/1.1 101 ') && !/\r\nsec-websocket-protocol:/i.test(head)
  return accepts ? `${head}\r\n${HEADER}: ${OURS}` : head
}

function offered(value = ''): readonly string[] {
  return value.split(',').map((name) => name.trim())
}

/** Subprotocols are tokens, so odd characters of a key come as `encodeURIComponent` writes them. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
