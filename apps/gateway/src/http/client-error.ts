// What Node cannot read as a request never becomes one for Fastify: it is told on the bare socket, in the shape of every other failure
// (client-api §9), and the connection ends, since nobody knows where the next request would begin.
import type { Socket } from 'node:net'

const NOT_HTTP = { line: '400 Bad Request', sentence: 'this is not an HTTP/1.1 request' } as const
const BY_CODE: Readonly<Record<string, { readonly line: string; readonly sentence: string }>> = {
  HPE_HEADER_OVERFLOW: { line: '431 Request Header Fields Too Large', sentence: 'the headers of the request are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { line: '408 Request Timeout', sentence: 'the request did not come to its end in time' },
}

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Who has gone is not told.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error)
    return
  }
  const { line, sentence } = BY_CODE[error.code ?? ''] ?? NOT_HTTP
  const body = JSON.stringify({ error: sentence, message: sentence })
  const head = `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`
  socket.write(`${head}\r\n\r\n${body}`)
  socket.destroySoon()
}
