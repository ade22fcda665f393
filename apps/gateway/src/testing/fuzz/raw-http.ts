// One request over a socket of its own, byte for byte as given: what no HTTP client would send can be sent, too.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  /** 0: the connection was closed without an answer. Undefined: nothing came in time. */
  readonly status: number | undefined
  readonly head: string
  readonly body: string
}

/**
 * An answer that blames the gateway. One is right: an OpenAI route waits for its job, another request of the test purges the queue, and a
 * cancelled job is a 500 there (openai/failure.ts).
 */
export function isServerFault({ status = 0, body }: RawAnswer, requestLine: string): boolean {
  return status >= 500 && !(requestLine.includes('/openai/') && body.includes('the queue was purged'))
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Reads until the server closes or `patienceMs` are over, then lets go. */
export async function sendRaw(url: string, bytes: Buffer, patienceMs: number): Promise<RawAnswer> {
  const socket = await openSocket(url)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  const { promise: closed, resolve } = Promise.withResolvers<undefined>()
  socket.once('close', () => resolve(undefined))
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  const begun = performance.now()
  socket.write(bytes)
  await closed
  clearTimeout(timer)
  return toAnswer(Buffer.concat(chunks).toString('latin1'), performance.now() - begun >= patienceMs)
}

function toAnswer(text: string, timedOut: boolean): RawAnswer {
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? []
  const end = text.indexOf('\r\n\r\n')
  if (status === undefined) return { status: timedOut ? undefined : 0, head: '', body: '' }
  const head = text.slice(0, end)
  // What follows answers whatever the server took for a second request.
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity)
  if (timedOut && length !== Infinity && text.length < end + 4 + length) return { status: undefined, head: '', body: '' }
  return { status: Number(status), head, body: Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString() }
}
