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

export type HttpClient = ReturnType<typeof createHttpClient>

/** Where the requests of one origin go, as Node wants it: a URL would be parsed twice for each request. */
interface Origin {
  readonly agent: Agent
  readonly send: typeof request
  readonly options: Pick<RequestOptions, 'protocol' | 'hostname' | 'port'>
}

/** Node's types leave out `noDelay`, which its agents hand to each socket. */
const SOCKETS = { keepAlive: true, noDelay: true, maxFreeSockets: 8 }

/** Not imported: the import of `node:http` as an ES module reads all of its exports, one of which loads all of undici (70 ms of a cold start). */
function openOrigin(origin: string): Origin {
  const { protocol, hostname, port } = new URL(origin)
  const http = process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http')
  return { agent: new http.Agent(SOCKETS), send: http.request, options: { protocol, hostname: withoutBrackets(hostname), port } }
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** Of `http://host:port/path?query`. */
function splitUrl(url: string): { readonly origin: string; readonly path: string } {
  const at = url.indexOf('/', url.indexOf('://') + '://'.length)
  return at === -1 ? { origin: url, path: '/' } : { origin: url.slice(0, at), path: url.slice(at) }
}

export function createHttpClient(headers: Readonly<Record<string, string>>) {
  const opened = new Map<string, Origin>()
  const originOf = (name: string): Origin => {
    const found = opened.get(name) ?? openOrigin(name)
    opened.set(name, found)
    return found
  }
  return {
    async exchange({ method, url, headers: more, body, timeoutMs, signal }: HttpCall): Promise<HttpAnswer> {
      const { origin, path } = splitUrl(url)
      const { agent, send, options } = originOf(origin)
      const length = body === undefined ? {} : { 'Content-Length': String(body.length) }
      const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
      signal?.throwIfAborted()
      const sent = send({ ...options, path, method, agent, headers: { ...headers, ...more, ...length }, timeout: timeoutMs }, (response) =>
        collect(response, resolve, reject),
      )
      sent.on('error', reject)
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      sent.end(body)
      // Node's own option watches the request by a stream utility that costs more than the rest of this.
      const abort = (): void => void sent.destroy(toError(signal?.reason))
      signal?.addEventListener('abort', abort)
      return promise.finally(() => signal?.removeEventListener('abort', abort))
    },
    [Symbol.dispose]() {
      for (const { agent } of opened.values()) agent.destroy()
    },
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted')
}

/** By events: an iterator over the response takes a tenth of a millisecond of a warm call. */
function collect(response: IncomingMessage, resolve: (answer: HttpAnswer) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('error', reject)
  response.on('end', () => {
    const [first] = chunks
    const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
    resolve({ status: response.statusCode ?? 0, body })
  })
}
