// `Expect: 100-continue`: the client sends its body only when it is asked for it. It is asked when a route reads the body, so the body of a refused
// request is never sent. Node would ask before anybody has looked at the request.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

const waiting = new WeakMap<IncomingMessage, ServerResponse>()

export function followExpectations(server: Pick<Server, 'on' | 'emit'>): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response)
    server.emit('request', request, response)
  })
}

/** The client waits with its body until it is asked for it. */
export function isExpecting(request: IncomingMessage): boolean {
  return waiting.has(request)
}

export function askForBody(request: IncomingMessage): void {
  waiting.get(request)?.writeContinue()
  waiting.delete(request)
}
