// WebSockets to load-balanced endpoints: the handshake is sent to a worker as it came, and from then on bytes go both ways. Fastify does not see these
// requests, so the key and the endpoint are checked here.
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { RunyardError, type Endpoint } from '@runyard/schema'
import { scopeOfRoute } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { checkScope, createAuthentication, type Authenticate, type Credentials } from '../http/authenticate.ts'
import { refuseUpgrade } from '../workers/accept-tunnels.ts'
import { portOf, type Balancer } from './balancer.ts'
import { requestHeaders } from './headers.ts'
import { parseAffinity, takeTurn, type Turn } from './rotation.ts'
import { findBalanced } from './routes.ts'
import { handshakeCredentials, passAnswer, withoutOurs } from './subprotocol.ts'
import { endpointIdIn, pathBelow, type FindTarget } from './target.ts'

const TRIES = 3

export function asksForWebSocket(findTarget: FindTarget) {
  return (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === 'websocket' && findTarget(request) !== undefined
}

export function forwardWebSockets(server: Pick<Server, 'on' | 'once'>, balancer: Balancer, findTarget: FindTarget): void {
  const authenticate = createAuthentication(balancer.store)
  const open = followSockets(server, balancer.store, authenticate)
  server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy())
    client.removeAllListeners('timeout')
    const forwardOne = async (): Promise<void> => {
      const target = findTarget(request) ?? ''
      const credentials = handshakeCredentials(request)
      const key = await authenticate(credentials)
      checkScope(key, scopeOfRoute('GET', '/lb/:endpointId'))
      const endpoint = await findBalanced(balancer, key, { endpointId: endpointIdIn(target), headers: request.headers })
      const port = portOf(endpoint)
      const opened = await openTo(balancer, { request, client, endpoint, port })
      if (opened === undefined) return
      open.set(client, credentials)
      client.once('close', () => open.delete(client))
      join({ client, head, request, path: pathBelow(target) }, opened)
    }
    forwardOne().catch((error: unknown) => refuseUpgrade(client, error))
  })
}

/** Sockets whose key is revoked end. A key that cannot be checked now stays. */
function followSockets(server: Pick<Server, 'once'>, store: Pick<Store, 'subscribe'>, authenticate: Authenticate) {
  const open = new Map<Duplex, Credentials>()
  const checkAgain = async (credentials: Credentials): Promise<void> => {
    const refusal: unknown = await authenticate(credentials).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!(refusal instanceof RunyardError && refusal.code === 'unauthorized')) return
    const ended = [...open].filter(([, { headers }]) => headers.authorization === credentials.headers.authorization)
    for (const [client] of ended) client.destroy()
  }
  const subscription = store.subscribe(({ kind }) => {
    if (kind !== 'keys-changed' && kind !== 'resync') return
    const byKey = new Map([...open.values()].map((one) => [one.headers.authorization, one]))
    for (const credentials of byKey.values()) void checkAgain(credentials)
  })
  server.once('close', () => void subscription[Symbol.asyncDispose]())
  return open
}

interface Opened {
  readonly turn: Turn
  readonly upstream: Socket
}

interface Opening {
  readonly request: IncomingMessage
  readonly client: Duplex
  readonly endpoint: Endpoint
  readonly port: number
}

async function openTo(balancer: Balancer, { request, client, endpoint, port }: Opening): Promise<Opened | undefined> {
  const gone = new AbortController()
  client.once('close', () => gone.abort())
  const tried = new Set<string>()
  const affinity = parseAffinity(request.headers['x-runpod-worker-id'])
  const deadline = Date.now() + balancer.config.loadBalancing.holdS * 1000
  for (;;) {
    const turn = await takeTurn(balancer, { endpoint, affinity, tried, deadline, signal: gone.signal })
    if (turn === undefined) return undefined
    const upstream = await balancer.tunnels.open(turn.workerId, port).catch((error: unknown) => error)
    if (isSocket(upstream)) return { turn, upstream }
    turn.end()
    tried.add(turn.workerId)
    if (tried.size >= TRIES) throw upstream instanceof Error ? upstream : new RunyardError('bad_gateway', 'the worker cannot be reached')
  }
}

function isSocket(value: unknown): value is Socket {
  return value instanceof Object && 'remoteAddress' in value && 'pipe' in value
}

interface Joined {
  readonly client: Duplex
  readonly head: Buffer
  readonly request: IncomingMessage
  readonly path: string
}

function join({ client, head, request, path }: Joined, { turn, upstream }: Opened): void {
  const headers = withoutOurs(requestHeaders(request, true))
  const lines: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  upstream.write(`${request.method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  upstream.write(head)
  client.pipe(upstream)
  passAnswer(request, upstream, client)
  const end = (): void => {
    turn.end()
    upstream.destroy()
    client.destroy()
  }
  client.once('close', end)
  upstream.once('close', end)
  if (client.destroyed || upstream.destroyed) end()
}
