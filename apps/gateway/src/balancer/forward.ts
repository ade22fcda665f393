// Sends one request to a worker and its answer back, both as streams: what one side reads slowly, the other sends slowly. A request is repeated with another
// worker only if that cannot do it twice: no byte of it was sent, or its method is safe, it has no body, and nothing came back (RFC 9110 §9.2.2).
import { Agent, request as send, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { RunyardError } from '@runyard/schema'
import { askForBody } from '../http/expect-continue.ts'
import type { Tunnels } from '../workers/tunnels.ts'
import { answerHeaders, requestHeaders, sandboxedHeaders } from './headers.ts'

/** Kept connections end before common servers end them (uvicorn after 5 s): one that ends under a request costs the request. */
const IDLE_MS = 4000
const MOST_SOCKETS = 256
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Kept connections to the port of one worker. */
export function createWorkerAgent(tunnels: Pick<Tunnels, 'open'>, { workerId, port }: { workerId: string; port: number }): Agent {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: MOST_SOCKETS, maxFreeSockets: 64, scheduling: 'lifo' })
  agent.createConnection = (_options, callback) => {
    // Node's types ask for a stream beside the error; it uses none.
    const refuse = (error: Error): void => callback?.(error, new Duplex())
    void tunnels.open(workerId, port).then((socket) => callback?.(null, socket), refuse) // oxlint-disable-line promise/no-callback-in-promise -- Node asks for one
    return undefined
  }
  return agent
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly workerId: string
  readonly agent: Agent
  /** The body where it has been read already. */
  readonly body?: Buffer | undefined
  readonly mostBytes: number
  /** Names and values alternate; absent: none beside the caller's own. */
  readonly moreHeaders?: readonly string[]
  /** For the answer: CORS headers, unless it has some. */
  readonly moreAnswer?: readonly string[]
  /** Anybody may ask without a key, also a browser that has our page open. */
  readonly isOpen?: true
  /** How long the worker may take. */
  readonly mostMs: number
}

/** `again`: nothing of the request has been done, so another worker may get it. */
export type Result = 'done' | { readonly again: Error }

/** @throws RunyardError if the worker gives no answer. Once an answer has begun, a failure cuts the connection. */
export function exchange(options: Exchange): Promise<Result> {
  const { request, response, path, workerId, agent, moreHeaders, mostMs } = options
  return new Promise((resolve, reject) => {
    const sent = send({
      agent,
      method: request.method ?? 'GET',
      path,
      headers: moreHeaders === undefined ? requestHeaders(request) : [...requestHeaders(request), ...moreHeaders],
      setHost: false,
    })
    let isConnected = false
    const late = setTimeout(() => {
      sent.destroy(new RunyardError('gateway_timeout', 'the worker took too long (loadBalancing.requestS)'))
    }, mostMs)
    const gone = (): void => void (response.writableFinished || sent.destroy())
    const end = (): void => {
      clearTimeout(late)
      response.off('close', gone)
    }
    response.once('close', gone)
    sent.once('socket', () => {
      isConnected = true
      sendBody(sent, options)
    })
    sent.once('response', (answer) => {
      returnAnswer(answer, options, () => {
        end()
        resolve('done')
      })
    })
    sent.on('error', (error: Error) => {
      end()
      if (response.headersSent) {
        response.destroy()
        resolve('done')
      } else if (response.destroyed || (isConnected && error instanceof RunyardError)) reject(error)
      else if (!isConnected || mayRepeat(request, sent)) resolve({ again: error })
      else reject(new RunyardError('bad_gateway', `worker ${workerId} ended the connection without an answer`, { cause: error }))
    })
  })
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function mayRepeat(request: IncomingMessage, sent: ClientRequest): boolean {
  return SAFE.has(request.method ?? '') && !hasBody(request) && sent.reusedSocket
}

function sendBody(sent: ClientRequest, { request, body, mostBytes }: Exchange): void {
  if (body !== undefined) return void sent.end(body)
  if (!hasBody(request)) return void sent.end()
  askForBody(request)
  countBytes(request, mostBytes, () => {
    const sentence = `the request body is larger than ${mostBytes} bytes (loadBalancing.bodyBytes)`
    sent.destroy(new RunyardError('payload_too_large', sentence))
  })
  request.pipe(sent)
}

function returnAnswer(
  answer: IncomingMessage,
  { response, workerId, mostBytes, isOpen, moreAnswer = [] }: Exchange,
  done: () => void,
): void {
  if (response.destroyed) {
    answer.destroy()
    return done()
  }
  const headers = isOpen ? sandboxedHeaders(answer, workerId) : answerHeaders(answer, workerId)
  if (!('access-control-allow-origin' in answer.headers)) headers.push(...moreAnswer)
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  const seen = countBytes(answer, mostBytes, () => answer.destroy())
  // With the first bytes of the body in one packet; those of a stream may come long after.
  setImmediate(() => {
    if (seen.bytes === 0 && !response.writableEnded && !response.destroyed) response.flushHeaders()
  })
  answer.pipe(response)
  answer.once('close', () => {
    if (!answer.complete) response.destroy()
    done()
  })
}

function countBytes(stream: IncomingMessage, most: number, onMore: () => void): { readonly bytes: number } {
  const seen = { bytes: 0 }
  stream.on('data', (chunk: Buffer) => {
    seen.bytes += chunk.length
    if (seen.bytes > most) onMore()
  })
  return seen
}
