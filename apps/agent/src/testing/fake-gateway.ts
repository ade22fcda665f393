// The gateway's half of the worker protocol (worker-api §1), small and real HTTP, for tests of the agent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
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
  /** Names of the posts of chunks, refused ones included. */
  readonly posts: string[]
  /** Answers the next requests of a route with these statuses instead of serving them; 0: breaks the connection off. */
  readonly refuse: Map<string, number[]>
  /** Awaited before a result is answered. */
  beforeDone: () => Promise<void>
  /** Held polls of a route. */
  waiting(route: 'job-take' | 'job-stop'): number
  give(job: { id: string; input: unknown }): void
  /** Gives a job with a new id. Returns the id. */
  add(input: unknown): string
  /** The result of such a job. */
  run(input: unknown): Promise<Settled>
  stop(jobId: string): void
  settled(jobId: string): Promise<Settled>
  /** Resolves as soon as `check` holds; looked at after each request. */
  until(check: () => boolean): Promise<void>
}

type Route = 'job-take' | 'job-stop' | 'job-done' | 'job-stream' | 'ping'

/** `port` 0 picks a free one. */
export async function startFakeGateway(port = 0): Promise<FakeGateway> {
  const state = createState()
  const routes = createRoutes(state)
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request)
    const at = new URL(request.url ?? '', 'http://gateway')
    const route = at.pathname.split('/')[3] as Route
    state.requests.push(`${request.method} ${route}`)
    if (route === 'job-stream') state.posts.push(String(request.headers['x-runyard-post']))
    if (route === 'job-done') await gateway.beforeDone()
    const status = state.refuse.get(route)?.shift()
    if (status === undefined) routes[route]({ at, request, response, body })
    else if (status === 0) response.destroy()
    else send(response, status, { error: 'refused by the test' })
    state.changed()
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { requests, pings, chunks, posts, refuse, until, done } = state
  let added = 0
  const gateway: FakeGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pings,
    chunks,
    posts,
    refuse,
    beforeDone: async () => undefined,
    until,
    waiting: (route) => state.polls[route].waiting(),
    give: (job) => state.polls['job-take'].give(job),
    add(input) {
      const id = `job-${(added += 1)}`
      gateway.give({ id, input })
      return id
    },
    run: (input) => gateway.settled(gateway.add(input)),
    stop: (jobId) => state.polls['job-stop'].give({ jobsToStop: [jobId] }),
    async settled(jobId) {
      await until(() => done.some((result) => result.jobId === jobId))
      return done.find((result) => result.jobId === jobId) as Settled
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return gateway
}

function createState() {
  const watchers = new Set<() => void>()
  const changed = () => [...watchers].forEach((watch) => watch())
  return {
    requests: [] as string[],
    pings: [] as URLSearchParams[],
    chunks: [] as unknown[],
    posts: [] as string[],
    refuse: new Map<string, number[]>(),
    done: [] as Settled[],
    polls: { 'job-take': createPolls(changed), 'job-stop': createPolls(changed) },
    changed,
    until: async (check: () => boolean) =>
      new Promise<void>((resolve) => {
        const watch = () => {
          if (!check()) return
          watchers.delete(watch)
          resolve()
        }
        watchers.add(watch)
        watch()
      }),
  }
}

function createPolls(changed: () => void) {
  let held: ServerResponse[] = []
  const queued: unknown[] = []
  const match = () => {
    while (queued.length > 0 && held.length > 0) send(held.shift(), 200, queued.shift())
  }
  return {
    waiting: () => held.length,
    give(answer: unknown) {
      queued.push(answer)
      match()
    },
    next: () => queued.shift(),
    hold(response: ServerResponse) {
      held.push(response)
      response.on('close', () => {
        held = held.filter((other) => other !== response)
        changed()
      })
      match()
    },
  }
}

function createRoutes(state: ReturnType<typeof createState>): Record<Route, (exchange: Exchange) => void> {
  return {
    'job-take': ({ response }) => state.polls['job-take'].hold(response),
    'job-stop': ({ response }) => state.polls['job-stop'].hold(response),
    ping({ at, response }) {
      state.pings.push(at.searchParams)
      send(response, 200, {})
    },
    'job-stream'({ response, body }) {
      state.chunks.push(JSON.parse(body))
      send(response, 200, {})
    },
    'job-done'({ at, request, response, body }) {
      const timings = request.headers['x-runyard-timings']
      state.done.push({
        jobId: at.pathname.split('/')[5] ?? '',
        isStream: at.searchParams.get('isStream'),
        timings: typeof timings === 'string' ? JSON.parse(timings) : undefined,
        headers: request.headers,
        body: JSON.parse(body),
      })
      // The response contains the next job if the agent asks for it (ADR 28).
      const next = request.headers['x-runyard-next'] === '1' ? state.polls['job-take'].next() : undefined
      send(response, 200, next ?? {})
    },
  }
}

interface Exchange {
  readonly at: URL
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
