// How many connections a listener keeps. One more than that takes the place of the one that has been idle for longest; where all are being
// served, it is answered 503 and closed. A connection on which no request begins is closed after a while: a stranger holds it for nothing.
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

const FIRST_REQUEST_MS = 20_000
const RETRY_AFTER_S = 5
const SENTENCE = 'this listener has as many connections as it may (limits.connections); try again'

export function boundConnections({ server }: FastifyInstance, most: number): void {
  /** How many requests each is serving. */
  const open = new Map<Socket, number>()
  /** Between requests, the longest idle first. */
  const idle = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    if (open.size >= most && !makeRoom(open, idle)) {
      refuse(socket)
      return
    }
    open.set(socket, 0)
    socket.setTimeout(FIRST_REQUEST_MS, () => socket.destroy())
    socket.once('close', () => {
      open.delete(socket)
      idle.delete(socket)
    })
  })
  server.on('request', ({ socket }, response) => {
    socket.setTimeout(0)
    idle.delete(socket)
    open.set(socket, (open.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const serving = open.get(socket)
      if (serving === undefined) return
      open.set(socket, serving - 1)
      if (serving === 1) idle.add(socket)
    })
  })
}

function makeRoom(open: Map<Socket, number>, idle: Set<Socket>): boolean {
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
