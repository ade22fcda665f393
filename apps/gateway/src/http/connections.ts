// The connections of a listener, which are bounded: a new one takes the place of the one that has been idle longest; if all are serving a request, the
// new one is answered 503 and closed. A connection on which no request begins is closed after a while. When the listener closes, each connection
// closes with its last answer. What Node cannot read as a request is answered here, too, on the bare socket.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const FIRST_REQUEST_MS = 20_000
const RETRY_AFTER_S = 5

interface RawAnswer {
  readonly line: string
  readonly sentence: string
  readonly headers?: string
}

const FULL: RawAnswer = {
  line: '503 Service Unavailable',
  sentence: 'this listener has as many connections as it may (limits.connections); try again',
  headers: `\r\nretry-after: ${RETRY_AFTER_S}`,
}
const NOT_HTTP: RawAnswer = { line: '400 Bad Request', sentence: 'this is not an HTTP/1.1 request' }
const BY_CODE: Readonly<Record<string, RawAnswer>> = {
  HPE_HEADER_OVERFLOW: { line: '431 Request Header Fields Too Large', sentence: 'the headers of the request are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { line: '408 Request Timeout', sentence: 'the request did not come to its end in time' },
}

interface Connections {
  /** How many requests each serves now; -1 before its first. */
  readonly open: Map<Socket, number>
  /** Between requests, the longest idle first. */
  readonly idle: Set<Socket>
}

export function followConnections(app: FastifyInstance, { most, closing }: { most: number; closing: AbortSignal }): void {
  const connections: Connections = { open: new Map(), idle: new Set() }
  const closeUnused = followRequests(app, connections, closing)
  app.server.on('connection', (socket: Socket) => {
    if (connections.open.size >= most && !makeRoom(connections)) {
      refuse(socket)
      return
    }
    connections.open.set(socket, -1)
    socket.setTimeout(FIRST_REQUEST_MS, () => socket.destroy())
    socket.once('close', () => {
      connections.open.delete(socket)
      connections.idle.delete(socket)
    })
  })
  app.addHook('preClose', async () => closeUnused())
}

/**
 * One listener function for the ends of all requests, since each listener costs. The returned function closes the connections that serve no request;
 * from then on the last answer closes all others. Node counts a connection on which no request ever began as busy, and those of a load balancer
 * would keep the closing listener open for a minute.
 */
function followRequests({ server }: FastifyInstance, { open, idle }: Connections, closing: AbortSignal): () => void {
  let serving = 0
  let isClosing = false
  const closeIfDone = (): void => {
    if (isClosing && serving === 0) server.closeAllConnections()
  }
  function ended(this: ServerResponse): void {
    const { socket } = this.req
    serving -= 1
    const count = open.get(socket)
    if (count !== undefined) open.set(socket, count - 1)
    if (count === 1) idle.add(socket)
    // Kept alive, the connection of a held request that is answered late would keep the closing listener open.
    if (closing.aborted) socket.end()
    closeIfDone()
  }
  server.on('request', ({ socket }, response) => {
    serving += 1
    const count = open.get(socket)
    // Later requests have no limit: Node removed the one between requests.
    if (count === -1) socket.setTimeout(0)
    if (count !== undefined) open.set(socket, Math.max(0, count) + 1)
    idle.delete(socket)
    response.on('close', ended)
  })
  return () => {
    isClosing = true
    closeIfDone()
  }
}

function makeRoom({ open, idle }: Connections): boolean {
  const [longest] = idle
  if (longest === undefined) return false
  idle.delete(longest)
  open.delete(longest)
  longest.destroy()
  return true
}

function refuse(socket: Socket): void {
  socket.on('error', () => undefined)
  writeAnswer(socket, FULL)
}

/** In the shape of every other failure (client-api §9). The connection ends, since it is unknown where the next request would begin. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy(error)
  else writeAnswer(socket, BY_CODE[error.code ?? ''] ?? NOT_HTTP)
}

function writeAnswer(socket: Socket, { line, sentence, headers = '' }: RawAnswer): void {
  const body = JSON.stringify({ error: sentence, message: sentence })
  const head = `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}${headers}\r\nconnection: close`
  socket.write(`${head}\r\n\r\n${body}`)
  socket.destroySoon()
}
