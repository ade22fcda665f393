// A webhook receiver. Records every POST and responds as the test configures.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly json: Record<string, unknown>
  readonly at: number
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
  /** How it responds from now on; default 200. */
  answer: (response: ServerResponse) => void
}

export async function startReceiver(options: { host?: string; port?: number } = {}): Promise<Receiver> {
  const { host = '127.0.0.1', port = 0 } = options
  const received: Received[] = []
  const receiver = { answer: (response: ServerResponse): void => void response.writeHead(200).end('ok') }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const json = JSON.parse(body) as Record<string, unknown>
      received.push({ path: request.url ?? '', headers: request.headers, body, json, at: Date.now() })
      receiver.answer(response)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return Object.assign(receiver, {
    url: `http://${host}:${bound}/hook`,
    port: bound,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  })
}
