// Load over plain sockets, so that the generator costs little compared to what it measures. One request is in flight per connection.
import { connect, type Socket } from 'node:net'

export interface Target {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/** One keep-alive connection; one request at a time. */
export interface Connection {
  readonly send: (request: Buffer) => Promise<Answer>
  /** False once either side has closed it. */
  readonly isOpen: () => boolean
  readonly close: () => void
}

/** Requests per second over `connections` sockets, closed loop, for `durationMs`. @throws on the first response that is not 200. */
export async function measureRate(target: Target, options: { connections: number; durationMs: number }): Promise<number> {
  const [connections, request] = [await openAll(target, options.connections), requestBytes({ method: 'POST', ...target })]
  const begun = performance.now()
  let done = 0
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() - begun < options.durationMs) {
        const answer = await connection.send(request)
        if (answer.status !== 200) throw new Error(`${target.path} answered ${answer.status}: ${answer.body}`)
        done += 1
      }
    }),
  )
  const elapsed = performance.now() - begun
  for (const connection of connections) connection.close()
  return (done * 1000) / elapsed
}

/** Sends exactly `count` requests and returns the duration in seconds. */
export async function sendMany(target: Target, options: { connections: number; count: number }): Promise<number> {
  const [connections, request] = [await openAll(target, options.connections), requestBytes({ method: 'POST', ...target })]
  const begun = performance.now()
  let left = options.count
  await Promise.all(
    connections.map(async (connection) => {
      while (left > 0) {
        left -= 1
        const answer = await connection.send(request)
        if (answer.status !== 200) throw new Error(`${target.path} answered ${answer.status}: ${answer.body}`)
      }
    }),
  )
  for (const connection of connections) connection.close()
  return (performance.now() - begun) / 1000
}

/** Latencies in ms of requests that start at a fixed rate, however long the responses take (open loop). */
export async function measureLatency(
  send: () => Promise<unknown>,
  options: { perSecond: number; count: number },
): Promise<readonly number[]> {
  const begun = performance.now()
  const pending: Promise<number>[] = []
  for (let index = 0; index < options.count; index += 1) {
    const due = begun + (index * 1000) / options.perSecond
    const wait = due - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const sent = performance.now()
    pending.push(send().then(() => performance.now() - sent))
  }
  return await Promise.all(pending)
}

/** Latencies in ms of requests one after another (closed loop), for comparisons on a machine with other load. */
export async function measureSequence(send: () => Promise<unknown>, count: number): Promise<readonly number[]> {
  const latencies: number[] = []
  for (let index = 0; index < count; index += 1) {
    const sent = performance.now()
    await send()
    latencies.push(performance.now() - sent)
  }
  return latencies
}

/** A pool of keep-alive connections, each with one request at a time. One that the server closed while it was idle is replaced. */
export async function openPool(target: Target, size: number): Promise<{ send: () => Promise<Answer>; close: () => void }> {
  const [all, request] = [new Set(await openAll(target, size)), requestBytes({ method: 'POST', ...target })]
  const free = [...all]
  const replace = async (closed: Connection): Promise<Connection> => {
    const opened = await openConnection(target)
    all.delete(closed)
    all.add(opened)
    return opened
  }
  const waiting: ((connection: Connection) => void)[] = []
  const send = async (): Promise<Answer> => {
    const given = free.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)))
    const connection = given.isOpen() ? given : await replace(given)
    try {
      return await connection.send(request)
    } finally {
      const next = waiting.shift()
      if (next === undefined) free.push(connection)
      else next(connection)
    }
  }
  return { send, close: () => all.forEach((connection) => connection.close()) }
}

/** Alternates two measurements, so that a machine whose speed drifts affects both equally. */
export async function inTurn<A, B>(rounds: number, one: () => Promise<A>, other: () => Promise<B>): Promise<readonly [A[], B[]]> {
  const [ones, others]: [A[], B[]] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    ones.push(await one())
    others.push(await other())
  }
  return [ones, others]
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

async function openAll(target: Target, count: number): Promise<readonly Connection[]> {
  return await Promise.all(Array.from({ length: count }, () => openConnection(target)))
}

/** The bytes of one request, created once and sent often. */
export function requestBytes({ method, host, path, headers, body }: Target & { readonly method: 'GET' | 'POST' }): Buffer {
  const length = method === 'GET' ? {} : { 'content-length': `${Buffer.byteLength(body)}` }
  const lines = Object.entries({ host, ...length, ...headers }).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

export async function openConnection({ host, port }: Pick<Target, 'host' | 'port'>): Promise<Connection> {
  const socket = connect({ host, port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return createConnection(socket)
}

function createConnection(socket: Socket): Connection {
  let received = ''
  let waiting: PromiseWithResolvers<Answer> | undefined
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    const answer = parseAnswer(received)
    if (answer === undefined) return
    received = ''
    waiting?.resolve(answer)
  })
  const isOpen = (): boolean => socket.writable && socket.readable
  const fail = (error?: Error): void => waiting?.reject(error ?? new Error('the connection was closed'))
  socket.on('error', fail)
  socket.on('close', () => fail())
  const send = (request: Buffer): Promise<Answer> => {
    waiting = Promise.withResolvers<Answer>()
    if (isOpen()) socket.write(request)
    else fail()
    return waiting.promise
  }
  return { send, isOpen, close: () => socket.destroy() }
}

/** Undefined until the response is complete; every server here sends a content length. */
function parseAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  if (text.length < end + 4 + length) return undefined
  return { status: Number(text.slice(9, 12)), body: text.slice(end + 4) }
}
