// The connections of a listener. It keeps so many: one more takes the place of the one that has been idle for longest; where all are being
// served, it is answered 503 and closed. A connection on which no request begins is closed after a while: a stranger holds it for nothing.
// When the listener closes, each connection goes with its last answer.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const FIRST_REQUEST_MS = 20_000
const RETRY_AFTER_S = 5
const SENTENCE = 'this listener has as many connections as it may (limits.connections); try again'

interface Connections {
  /** How many requests each is serving; -1 before its first. */
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
 * One listener for the end of each request, and the same for all, since each costs. The function that is returned closes what serves nothing, and from
 * then on the last answer closes all: Node takes a connection on which no request ever began for a busy one, and such of a balancer would
 * keep the closing listener for a minute.
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
    // A held request that is answered late would keep its connection, and with it the closing listener, for the whole keep-alive time.
    if (closing.aborted) socket.end()
    closeIfDone()
  }
  server.on('request', ({ socket }, response) => {
    serving += 1
    const count = open.get(socket)
    // At later ones there is no limit: Node has taken away the one between requests.
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
  const body = JSON.stringify({ error: SENTENCE, message: SENTENCE })
  const head = `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nretry-after: ${RETRY_AFTER_S}\r\nconnection: close`
  socket.on('error', () => undefined)
  socket.end(`${head}\r\n\r\n${body}`)
  socket.destroySoon()
}
