// The worker plane by TLS, on its own port (ADR 87): both SDKs call load-balanced endpoints by https on the host and port of their URL for jobs, and workers
// send jobs and results by plain HTTP. The first byte of a connection shows which one it is. The certificate is signed anew at each start.
import type { Socket } from 'node:net'
import { createServer, TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '@runyard/kit'
import { PLANE_NAMES } from '@runyard/schema'
import { signCertificate } from './certificates.ts'

/** The first byte of each TLS connection (RFC 8446 §5.1); no HTTP method begins with it. */
const HANDSHAKE = 22
const HANDSHAKE_MS = 20_000
const RENEW_EVERY_MS = 24 * 3_600_000

const NAMES = PLANE_NAMES.flatMap((name) => [name, `*.${name}`])

/** Before the app listens. `directory`: where the authority is, or will be. */
export async function acceptTls(app: FastifyInstance, { directory, log }: { directory: string; log: Pick<Logger, 'warn'> }): Promise<void> {
  const secure = createServer({ ...(await signCertificate(directory, NAMES)), ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE_MS })
  secure.on('secureConnection', (socket) => void app.server.emit('connection', socket))
  // A client that does not trust the certificate, or speaks no TLS.
  secure.on('tlsClientError', (_error, socket) => socket.destroy())
  routeByFirstByte(app, (socket) => void secure.emit('connection', socket))
  const renew = (): void => {
    signCertificate(directory, NAMES).then(
      (files) => secure.setSecureContext(files),
      (error: unknown) => log.warn({ err: error }, 'the certificate of the worker plane could not be renewed; the former one stays'),
    )
  }
  const timer = setInterval(renew, RENEW_EVERY_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

/** Node's own listener gets a connection with its first bytes put back. Until then its limits are those of connections without a request. */
function routeByFirstByte(app: FastifyInstance, encrypted: (socket: Socket) => void): void {
  const [serve] = app.server.listeners('connection')
  if (serve === undefined) throw new Error('the HTTP server has no listener of its own')
  app.server.off('connection', serve as (socket: Socket) => void)
  const silent = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    if (socket instanceof TLSSocket) {
      serve.call(app.server, socket)
      return
    }
    silent.add(socket)
    socket.on('error', ignore)
    socket.once('close', () => silent.delete(socket))
    socket.once('readable', () => {
      silent.delete(socket)
      const bytes: Buffer | null = socket.read()
      if (bytes === null) {
        socket.destroy()
        return
      }
      socket.unshift(bytes)
      if (bytes[0] === HANDSHAKE) {
        // The decrypted connection has its own.
        socket.setTimeout(0)
        socket.allowHalfOpen = false
        encrypted(socket)
      } else {
        socket.off('error', ignore)
        serve.call(app.server, socket)
      }
    })
  })
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy()
  })
}

const ignore = (): void => undefined
