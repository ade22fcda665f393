// The gateway's half of the worker protocol (worker-api §1), small and real HTTP, for tests of the agent.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Settled {
  readonly jobId: string
  readonly isStream: string | null
  readonly timings: { enteredAt?: number; returnedAt?: number } | undefined
  readonly headers: IncomingMessage['headers']
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever JSON the agent posted; tests look into it freely
  readonly body: any
}

export interface FakeGateway extends AsyncDisposable {
  readonly url: string
  /** What was asked, in order: `GET job-take`, `GET ping?job_id=…`. */
  readonly requests: string[]
  readonly pings: URLSearchParams[]
  readonly chunks: unknown[]
  /** Answers the next requests of a route with these statuses instead of serving them. */
  readonly refuse: Map<string, number[]>
  /** Held polls of a route. */
  waiting(route: string): number
  give(job: { id: string; input: unknown }): void
  stop(jobId: string): void
  settled(jobId: string): Promise<Settled>
  /** Resolves as soon as `check` holds; looked at after each request. */
  until(check: () => boolean): Promise<void>
}

type Route = 'job-take' | 'job-stop' | 'job-done' | 'job-stream' | 'ping'

export async function startFakeGateway(port = 0): Promise<FakeGateway> {
  const requests: string[] = []
  const pings: URLSearchParams[] = []
  const chunks: unknown[] = []
  const refuse = new Map<string, number[]>()
  const held: Record<string, ServerResponse[]> = { 'job-take': [], 'job-stop': [] }
  const queued: Record<string, unknown[]> = { 'job-take': [], 'job-stop': [] }
  const done: Settled[] = []
  const watchers = new Set<() => void>()
  const changed = () => [...watchers].forEach((watch) => watch())

  const match = (route: string) => {
    while (queued[route]?.length && held[route]?.length) send(held[route].shift(), 200, queued[route].shift())
  }
  const hold = (route: string, response: ServerResponse) => {
    held[route]?.push(response)
    response.on('close', () => (held[route] = (held[route] ?? []).filter((other) => other !== response)))
    match(route)
  }
  const serve: Record<Route, (at: URL, parts: string[], exchange: Exchange) => void> = {
    'job-take': (_at, _parts, { response }) => hold('job-take', response),
    'job-stop': (_at, _parts, { response }) => hold('job-stop', response),
    ping: (at, _parts, { response }) => {
      pings.push(at.searchParams)
      send(response, 200, {})
    },
    'job-stream': (_at, _parts, { response, body }) => {
      chunks.push(JSON.parse(body))
      send(response, 200, {})
    },
    'job-done': (at, parts, { request, response, body }) => {
      const timings = request.headers['x-runyard-timings']
      done.push({
        jobId: parts[4] ?? '',
        isStream: at.searchParams.get('isStream'),
        timings: typeof timings === 'string' ? JSON.parse(timings) : undefined,
        headers: request.headers,
        body: JSON.parse(body),
      })
      send(response, 200, {})
    },
  }
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const at = new URL(request.url ?? '', 'http://gateway')
      const parts = at.pathname.split('/').slice(1)
      const route = parts[2] as Route
      requests.push(`${request.method} ${route}`)
      const status = refuse.get(route)?.shift()
      if (status === undefined) serve[route](at, parts, { request, response, body })
      else send(response, status, { error: 'refused by the test' })
      changed()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const until = async (check: () => boolean) =>
    new Promise<void>((resolve) => {
      const watch = () => {
        if (!check()) return
        watchers.delete(watch)
        resolve()
      }
      watchers.add(watch)
      watch()
    })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pings,
    chunks,
    refuse,
    waiting: (route) => held[route]?.length ?? 0,
    give(job) {
      queued['job-take']?.push(job)
      match('job-take')
    },
    stop(jobId) {
      queued['job-stop']?.push({ jobsToStop: [jobId] })
      match('job-stop')
    },
    async settled(jobId) {
      await until(() => done.some((result) => result.jobId === jobId))
      const found = done.find((result) => result.jobId === jobId)
      if (found === undefined) throw new Error('unreachable: until() saw it')
      return found
    },
    until,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
}

function send(response: ServerResponse | undefined, status: number, body: unknown): void {
  response?.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
