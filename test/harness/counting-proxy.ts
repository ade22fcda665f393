// A proxy between workers and the worker plane, or a client and the job plane: it counts requests per route and can be cut off. Bytes pass
// unchanged.
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type WorkerRoute = 'job-take' | 'job-take-batch' | 'job-stop' | 'job-done' | 'job-stream' | 'ping'
type ClientRoute = 'runsync' | 'status-sync' | 'stream' | 'requests'

type OnLost = () => Promise<void>

export interface CountingProxy extends AsyncDisposable {
  readonly url: string
  /** Number of requests to these routes so far. */
  readonly count: (...routes: readonly (WorkerRoute | ClientRoute)[]) => number
  /** Number of requests so far that the client aborted before the response. */
  readonly abandoned: () => number
  /** Query strings of the pings so far. */
  readonly pings: readonly URLSearchParams[]
  /** Forwards the next request of this route but responds 502, like a balancer that lost the response; `onLost` runs before that. */
  readonly loseAnswer: (route: WorkerRoute, onLost?: OnLost) => void
}

/** A target that does not exist yet is looked up at each request; until then the response is 503. */
export async function startCountingProxy(target: string | (() => string | undefined)): Promise<CountingProxy> {
  const routes: string[] = []
  const pings: URLSearchParams[] = []
  const toLose = new Map<string, OnLost>()
  let abandoned = 0
  const server = createServer((request, response) => {
    const base = typeof target === 'string' ? target : target()
    if (base === undefined) {
      response.writeHead(503).end()
      return
    }
    const url = new URL(request.url ?? '', base)
    const route = url.pathname.split('/')[3] ?? ''
    routes.push(route)
    if (route === 'ping') pings.push(url.searchParams)
    pass(request, response, { url, onLost: toLose.get(route) })
    toLose.delete(route)
    response.once('close', () => {
      if (!response.writableFinished) abandoned += 1
    })
  })
  // The same timeout as the gateway's: a result posted on a socket that was just closed is lost (worker-api §4.3.8).
  server.keepAliveTimeout = 80_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pings,
    abandoned: () => abandoned,
    loseAnswer: (route, onLost = async () => undefined) => void toLose.set(route, onLost),
    count: (...wanted) => routes.filter((route) => (wanted as readonly string[]).includes(route)).length,
    [Symbol.asyncDispose]: () => close(server),
  }
}

function pass(from: IncomingMessage, to: ServerResponse, { url, onLost }: { url: URL; onLost: OnLost | undefined }): void {
  const onward = httpRequest(url, { method: from.method, headers: from.headers }, (answer) => {
    if (onLost === undefined) {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
      return
    }
    answer.resume()
    void onLost().then(() => to.writeHead(502).end())
  })
  // If one side closes, close the other, as on a single connection.
  onward.on('error', () => to.destroy())
  to.on('close', () => onward.destroy())
  from.pipe(onward)
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}
