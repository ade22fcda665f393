// Test fixture: a gateway of fixed data, for commands that read. It answers what is in `answers`, by path without its query, and records requests.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What an answer may depend on. Undefined: not found. */
export type Answer = (request: { readonly body: string; readonly query: URLSearchParams }) => unknown

export interface FakeGateway extends AsyncDisposable {
  readonly url: string
  /** Path, or method and path → the body of its answer, or an `Answer`. */
  readonly answers: Record<string, unknown>
  readonly requests: { readonly method: string; readonly path: string; readonly body: string }[]
}

export async function openFakeGateway(answers: Record<string, unknown> = {}): Promise<FakeGateway> {
  const requests: FakeGateway['requests'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const method = request.method ?? ''
      const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://here')
      const body = Buffer.concat(chunks).toString()
      requests.push({ method, path, body })
      const found = answers[`${method} ${path}`] ?? answers[path]
      const answer: unknown = typeof found === 'function' ? (found as Answer)({ body, query }) : found
      const status = answer === undefined ? 404 : 200
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer ?? { error: `there is no ${method} ${path} here` }))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
