// Takes tunnels on the worker plane (ADR 69). The worker's token is checked before anything else; a request for any other protocol than ours stays a
// plain request, as if it had asked for none (RFC 9110 §7.8).
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Socket } from 'node:net'
import { RunyardError } from '@runyard/schema'
import { toWireError } from '../http/errors.ts'
import type { WorkerSessions } from './sessions.ts'
import type { WorkerAddress } from './worker-session.ts'
import type { Tunnels } from './tunnels.ts'

const PROTOCOL = 'runyard-tunnel'
const PATH = /^\/v2\/([\w-]{1,64})\/tunnel\/([\w-]{1,64})$/

export interface TunnelDeps {
  readonly sessions: Pick<WorkerSessions, 'enter'>
  readonly tunnels: Tunnels
}

/** For the server's `shouldUpgradeCallback`. */
export function asksForTunnel({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === PROTOCOL
}

export function acceptTunnels(server: Pick<Server, 'on'>, deps: TunnelDeps): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    accept(request, socket, deps).catch((error: unknown) => refuseUpgrade(socket, error))
  })
}

async function accept(request: IncomingMessage, socket: Duplex, { sessions, tunnels }: TunnelDeps): Promise<void> {
  const who = addressOf(request.url ?? '')
  if (who === undefined) throw new RunyardError('not_found', 'there is no tunnel here')
  const session = await sessions.enter(who, request.headers.authorization)
  if (session.record === undefined) throw new RunyardError('unauthorized', 'unauthorized: there is no such worker')
  if (!(socket instanceof Socket)) throw new RunyardError('internal', 'a connection is no socket')
  // Its listener of the time without a request ends here, too.
  socket.removeAllListeners('timeout')
  if (!tunnels.hasRoom(who.workerId)) throw new RunyardError('too_many_requests', 'this worker has as many tunnels as it may have')
  // First: a request that waits for the tunnel writes to it at once.
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`)
  tunnels.add(session, socket)
}

function addressOf(url: string): WorkerAddress | undefined {
  const [, endpointId, workerId] = PATH.exec(url.split('?', 1)[0] ?? '') ?? []
  return endpointId === undefined || workerId === undefined ? undefined : { endpointId, workerId }
}

/** An answer instead of 101, after which the connection ends. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { httpStatus, sentence } = toWireError(error)
  const body = JSON.stringify({ error: sentence, message: sentence })
  const head = `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ''}\r\ncontent-type: application/json`
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
