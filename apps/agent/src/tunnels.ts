// Connections that the agent opens to the worker plane, so that a gateway reaches an HTTP server inside this worker (ADR 69). A spare one waits for the
// number of a port; then bytes are copied until either side ends. Failure direction: no tunnels, so the worker gets no requests; they are tried again.
import type { ClientRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { backoffMs } from './backoff.ts'

/** As the gateway knows it (`workers/accept-tunnels.ts`). */
const PROTOCOL = 'runyard-tunnel'
const CONNECTED = Buffer.of(0)
const REFUSED = Buffer.of(1)
const LEAST_SPARE = 2
const MOST_SPARE = 16
const MOST = 256
const ANSWER_WITHIN_MS = 10_000
/** Finds a peer that is gone without a word (ADR 31). */
const PROBE_AFTER_MS = 15_000
/** A spare tunnel is replaced after this time to twice of it, so that behind a balancer every gateway gets one now and then. */
const RENEW_AFTER_MS = 15_000
const OVERLAP_MS = 1000

export interface TunnelOptions {
  readonly url: string
  readonly token: string
  /** The port on this machine that a declared port stands for; undefined: none. */
  readonly portOf: (declared: number) => number | undefined
}

export type Tunnels = ReturnType<typeof createTunnels>

interface Pool {
  readonly options: TunnelOptions
  readonly opening: Set<ClientRequest>
  readonly spare: Set<Socket>
  readonly used: Set<Socket>
  isOffered: boolean
  failures: number
  retry: NodeJS.Timeout | undefined
}

export function createTunnels(options: TunnelOptions) {
  const pool: Pool = { options, opening: new Set(), spare: new Set(), used: new Set(), isOffered: false, failures: 0, retry: undefined }
  /** Closes the spare ones; what is in use goes on. */
  const withdraw = (): void => {
    pool.isOffered = false
    clearTimeout(pool.retry)
    pool.retry = undefined
    for (const request of pool.opening) request.destroy()
    pool.opening.clear()
    for (const socket of pool.spare) socket.destroy()
  }
  return {
    /** Keeps spare tunnels open from now on. */
    offer() {
      pool.isOffered = true
      fill(pool)
    },
    withdraw,
    /** In use. */
    get size() {
      return pool.used.size
    },
    [Symbol.dispose]() {
      withdraw()
      for (const socket of pool.used) socket.destroy()
    },
  }
}

function fill(pool: Pool): void {
  if (!pool.isOffered || pool.retry !== undefined) return
  const wanted = Math.min(MOST_SPARE, LEAST_SPARE + Math.ceil(pool.used.size / 2), MOST - pool.used.size)
  for (let missing = wanted - pool.spare.size - pool.opening.size; missing > 0; missing -= 1) openOne(pool)
}

function openOne(pool: Pool): void {
  const request = requestTunnel(pool.options)
  pool.opening.add(request)
  const fail = (): void => {
    if (!pool.opening.delete(request)) return
    pool.failures += 1
    const again = (): void => {
      pool.retry = undefined
      fill(pool)
    }
    pool.retry ??= setTimeout(again, backoffMs(pool.failures, Math.random()))
  }
  request.on('error', fail)
  request.on('response', (response) => {
    response.resume()
    fail()
  })
  request.on('upgrade', (_response, socket: Socket, head: Buffer) => {
    pool.opening.delete(request)
    pool.failures = 0
    // A gateway that waits for the tunnel sends the port with the 101.
    if (head.length > 0) socket.unshift(head)
    keep(pool, socket)
  })
  request.end()
}

function keep(pool: Pool, socket: Socket): void {
  const { spare, used, isOffered } = pool
  if (!isOffered) return void socket.destroy()
  socket.setTimeout(0).setNoDelay(true).setKeepAlive(true, PROBE_AFTER_MS)
  spare.add(socket)
  socket.on('error', () => socket.destroy())
  const renewal = setTimeout(() => renew(pool, socket), RENEW_AFTER_MS * (1 + Math.random())).unref()
  socket.once('close', () => {
    clearTimeout(renewal)
    spare.delete(socket)
    used.delete(socket)
    fill(pool)
  })
  readPort(socket, (port) => {
    spare.delete(socket)
    used.add(socket)
    fill(pool)
    join(socket, pool.options.portOf(port))
  })
}

/** The new one first: a worker without a tunnel is out of rotation. */
function renew(pool: Pool, socket: Socket): void {
  if (!pool.isOffered || !pool.spare.has(socket)) return
  openOne(pool)
  setTimeout(() => pool.spare.has(socket) && socket.destroy(), OVERLAP_MS).unref()
}

function requestTunnel({ url, token }: TunnelOptions): ClientRequest {
  const target = new URL(url)
  // As in http.ts.
  const { request } = process.getBuiltinModule(target.protocol === 'https:' ? 'node:https' : 'node:http')
  const headers = { Authorization: token, Connection: 'Upgrade', Upgrade: PROTOCOL }
  const opened = request(target, { method: 'GET', headers, agent: false, timeout: ANSWER_WITHIN_MS })
  return opened.on('timeout', () => opened.destroy(new Error('the gateway opens no tunnel')))
}

/** Two bytes, which may come one by one. */
function readPort(socket: Socket, found: (port: number) => void): void {
  let head = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    if (head.length < 2) return
    socket.off('data', read)
    socket.pause()
    if (head.length > 2) socket.unshift(head.subarray(2))
    found(head.readUInt16BE(0))
  }
  socket.on('data', read)
}

function join(socket: Socket, port: number | undefined): void {
  if (port === undefined) return void socket.end(REFUSED)
  const local = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  let isConnected = false
  local.once('connect', () => {
    isConnected = true
    socket.write(CONNECTED)
    local.pipe(socket)
    socket.pipe(local)
  })
  local.on('error', () => {
    if (isConnected) socket.destroy()
    else socket.end(REFUSED)
  })
  local.once('close', () => isConnected && socket.destroySoon())
  socket.once('close', () => local.destroy())
}
