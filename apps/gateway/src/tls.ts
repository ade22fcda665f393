// The public listener by TLS, on a port of its own beside the plain one: decrypted connections go to the same server, so bounds, routes and upgrades are the
// same, and plain HTTP is as fast as before. With a certificate of Runyard's own authority, or with a given one, which is read again when its file changes.
import { readFileSync, watchFile, unwatchFile } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, createServer, type Server } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '@runyard/kit'
import { errorMessage, RunyardError, type Config } from '@runyard/schema'
import { ownCertificate, type TlsFiles } from './certificates.ts'

const RENEW_LOOK_MS = 12 * 3_600_000
const GIVEN_LOOK_MS = 60_000
const LOOPBACK = ['127.0.0.1', '::1']

export interface TlsListener extends AsyncDisposable {
  readonly port: number
}

interface TlsDeps {
  readonly config: Config
  readonly dataDir: string
  readonly log: Pick<Logger, 'warn'>
}

/** Undefined: TLS is off. @throws RunyardError with one sentence. */
export async function listenTls(app: FastifyInstance, deps: TlsDeps): Promise<TlsListener | undefined> {
  const { tls, listen } = deps.config
  if (tls.port === undefined) return undefined
  const files = await readFiles(deps)
  const server = createServer({ ...files, ALPNProtocols: ['http/1.1'] })
  server.on('secureConnection', (socket) => void app.server.emit('connection', socket))
  // A client that does not trust the certificate, or speaks no TLS.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const port = await bind(server, { host: listen.host, port: tls.port })
  const renewal = keepFresh(server, deps)
  return {
    port,
    async [Symbol.asyncDispose]() {
      renewal[Symbol.dispose]()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** For `runyard env`, which reads it: the URL of jobs by TLS, and whose certificate it has. */
export async function noteTls(port: number | undefined, { config, dataDir }: Pick<TlsDeps, 'config' | 'dataDir'>): Promise<void> {
  const path = join(dataDir, 'tls', 'base-url')
  if (port === undefined) return rm(path, { force: true })
  await mkdir(join(dataDir, 'tls'), { recursive: true, mode: 0o700 })
  await writeFile(path, `https://${config.tls.name}:${port} ${config.tls.cert === undefined ? 'own' : 'given'}\n`)
}

/** What the certificate is for: each base name, and one label below it; and this machine. */
export function namesOf({ loadBalancing, listen, tls }: Pick<Config, 'loadBalancing' | 'listen' | 'tls'>): readonly string[] {
  const bases = [...new Set([...loadBalancing.names, tls.name, 'localhost'])]
  const own = isIP(listen.host) !== 0 && listen.host !== '0.0.0.0' && listen.host !== '::' ? [listen.host] : []
  return [...new Set([...bases.flatMap((name) => [name, `*.${name}`]), ...LOOPBACK, ...own])]
}

async function readFiles({ config, dataDir }: TlsDeps): Promise<TlsFiles> {
  const { cert, key } = config.tls
  if (cert === undefined && key === undefined) return ownCertificate(join(dataDir, 'tls'), namesOf(config))
  if (cert === undefined || key === undefined)
    throw new RunyardError('bad_request', 'tls.cert and tls.key belong together: name both files, or none.')
  try {
    const files = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    // Throws for what is no certificate, or not the key of it.
    createSecureContext(files)
    return files
  } catch (error) {
    const why = errorMessage(error)
    throw new RunyardError('bad_request', `tls.cert (${cert}) and tls.key (${key}) cannot be read as a certificate and its key: ${why}`, {
      cause: error,
    })
  }
}

function bind(server: Server, address: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const sentence = `Cannot listen on ${address.host}:${address.port} by TLS (${error.code ?? 'unknown error'}): set tls.port to another port.`
      reject(new RunyardError('conflict', sentence, { cause: error }))
    })
    server.listen(address, () => {
      const bound = server.address()
      resolve(bound === null || typeof bound === 'string' ? address.port : bound.port)
    })
  })
}

/** Open connections keep what they have; new ones get the new certificate. */
function keepFresh(server: Server, deps: TlsDeps): Disposable {
  const renew = (): void => {
    readFiles(deps).then(
      (files) => server.setSecureContext(files),
      (error: unknown) => deps.log.warn({ err: error }, 'the certificate could not be renewed; the former one stays'),
    )
  }
  const timer = setInterval(renew, RENEW_LOOK_MS).unref()
  const { cert } = deps.config.tls
  if (cert !== undefined) watchFile(cert, { interval: GIVEN_LOOK_MS, persistent: false }, renew)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      if (cert !== undefined) unwatchFile(cert, renew)
    },
  }
}
