// One HTTP exchange on a kept-alive connection. Uses node:http, which takes a third of the time of fetch; that time is part of every warm call.
// Any response is a value; only a failed exchange (refused, reset, timed out, aborted) throws.
import type { Agent, IncomingMessage, request, RequestOptions } from 'node:http'

export interface HttpCall {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** The exchange fails if the socket is idle for this long. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
}

export interface HttpClient extends Disposable {
  exchange(call: HttpCall): Promise<HttpAnswer>
}

interface Protocol {
  readonly agent: Agent
  readonly request: typeof request
}

/** Node's types leave out `noDelay`, which its agents hand to each socket. */
const SOCKETS = { keepAlive: true, noDelay: true, maxFreeSockets: 8 }

/** Not imported: the import of `node:http` as an ES module reads all of its exports, one of which loads all of undici (70 ms of a cold start). */
function openProtocol(name: 'node:http' | 'node:https'): Protocol {
  const http = process.getBuiltinModule(name)
  return { agent: new http.Agent(SOCKETS), request: http.request }
}

export function createHttpClient(headers: Readonly<Record<string, string>>): HttpClient {
  const opened = new Map<string, Protocol>()
  const protocolOf = ({ protocol }: URL): Protocol => {
    const found = opened.get(protocol) ?? openProtocol(protocol === 'https:' ? 'node:https' : 'node:http')
    opened.set(protocol, found)
    return found
  }
  return {
    async exchange(call) {
      const url = new URL(call.url)
      const { agent, request: send } = protocolOf(url)
      const length = call.body === undefined ? {} : { 'Content-Length': String(call.body.length) }
      const requestOptions: RequestOptions = {
        method: call.method,
        agent,
        headers: { ...headers, ...call.headers, ...length },
        timeout: call.timeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      }
      return new Promise((resolve, reject) => {
        const request = send(url, requestOptions, (response) => {
          collect(response).then(resolve, reject)
        })
        request.on('error', reject)
        request.on('timeout', () => request.destroy(new Error(`no answer within ${call.timeoutMs} ms`)))
        request.end(call.body)
      })
    },
    [Symbol.dispose]() {
      for (const { agent } of opened.values()) agent.destroy()
    },
  }
}

async function collect(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const first = chunks[0]
  return { status: response.statusCode ?? 0, body: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks) }
}
