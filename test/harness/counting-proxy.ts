// Stands between workers and the worker plane, or one client and the job plane: counts what is asked per route and can be cut off. Bytes
// pass as they come.
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type WorkerRoute = 'job-take' | 'job-take-batch' | 'job-stop' | 'job-done' | 'job-stream' | 'ping'
type ClientRoute = 'runsync' | 'status-sync' | 'stream' | 'requests'

type OnLost = () => Promise<void>

export interface CountingProxy extends AsyncDisposable {
  readonly url: string
  /** How many requests of these routes came so far. */
  readonly count: (...routes: readonly (WorkerRoute | ClientRoute)[]) => number
  /** How many requests so far were given up by who sent them, before they were answered. */
  readonly abandoned: () => number
  /** Query strings of the pings so far. */
  readonly pings: readonly URLSearchParams[]
  /** The next request of this route is passed on, but answered 502, as by a balancer that lost the answer; `onLost` runs before that. */
  readonly loseAnswer: (route: WorkerRoute, onLost?: OnLost) => void
}

/** Where the target is not there yet, it is asked for at each request, and 503 is the answer meanwhile. */
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
  // As the gateway's: a result posted on a socket that was just closed is lost (worker-api §4.3.8).
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
  // Either side that goes takes the other with it, as on one connection.
  onward.on('error', () => to.destroy())
  to.on('close', () => onward.destroy())
  from.pipe(onward)
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}
