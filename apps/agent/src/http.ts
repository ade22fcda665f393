// One HTTP exchange on a kept-alive connection. Uses node:http, which takes a third of the time of fetch; that time is part of every warm call.
// Any response is a value; only a failed exchange (refused, reset, timed out, aborted) throws.
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

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

export function createHttpClient(headers: Readonly<Record<string, string>>): HttpClient {
  const options = { keepAlive: true, noDelay: true, maxFreeSockets: 8 }
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  return {
    async exchange(call) {
      const url = new URL(call.url)
      const secure = url.protocol === 'https:'
      const length = call.body === undefined ? {} : { 'Content-Length': String(call.body.length) }
      const requestOptions: RequestOptions = {
        method: call.method,
        agent: agents[secure ? 'https:' : 'http:'],
        headers: { ...headers, ...call.headers, ...length },
        timeout: call.timeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      }
      return new Promise((resolve, reject) => {
        const request = (secure ? httpsRequest : httpRequest)(url, requestOptions, (response) => {
          collect(response).then(resolve, reject)
        })
        request.on('error', reject)
        request.on('timeout', () => request.destroy(new Error(`no answer within ${call.timeoutMs} ms`)))
        request.end(call.body)
      })
    },
    [Symbol.dispose]() {
      agents['http:'].destroy()
      agents['https:'].destroy()
    },
  }
}

async function collect(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const first = chunks[0]
  return { status: response.statusCode ?? 0, body: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks) }
}
