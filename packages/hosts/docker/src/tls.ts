// The way to an engine by TLS: the files of the operator, and connections that verify the engine before anything is sent. Fails closed: files that cannot be
// used, or do not belong together, are refused with one sentence before a connection is tried.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { RunyardError, type EngineConnection, type TlsFiles } from '@runyard/schema'

type TcpConnection = Extract<EngineConnection, { kind: 'tcp' }>

const KEEPALIVE_AFTER_MS = 15_000

interface Pem {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/**
 * Opens one connection per call, with the files as they are then: certificates are renewed while the scaler runs. While they cannot be used, e.g. half
 * renewed, those before go on. @throws RunyardError if they cannot be used from the beginning.
 */
export function openTls({ host, port }: TcpConnection, files: TlsFiles): () => TLSSocket {
  let pem = readFiles(files)
  return () => {
    try {
      pem = readFiles(files)
    } catch {
      // The engine says whether those before are still good.
    }
    const socket = connect({ host, port, ...pem })
    // A follow or an event stream on a cut cable would hang for ever.
    socket.setKeepAlive(true, KEEPALIVE_AFTER_MS)
    return socket
  }
}

function readFiles(files: TlsFiles): Pem {
  const pem = { ca: readPem(files.ca), cert: readPem(files.cert), key: readPem(files.key) }
  parse(files.ca, 'certificate', () => new X509Certificate(pem.ca))
  const certificate = parse(files.cert, 'certificate', () => new X509Certificate(pem.cert))
  const key = parse(files.key, 'private key without a passphrase', () => createPrivateKey(pem.key))
  if (!certificate.checkPrivateKey(key)) throw unusable(`The TLS files ${files.cert} and ${files.key} of a host do not belong together.`)
  return pem
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unusable(`The TLS file ${path} of a host cannot be read.`, error)
  }
}

function parse<T>(path: string, kind: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unusable(`The TLS file ${path} of a host holds no ${kind}.`, error)
  }
}

function unusable(sentence: string, cause?: unknown): RunyardError {
  return new RunyardError('bad_request', sentence, { cause, fault: 'host' })
}
