// The connection to a Docker Engine: a local socket, TCP with TLS, or ssh to the socket on another machine, written as one URL in the format of the
// Docker CLI. Fails closed: TCP without TLS gives root on the host to anyone on the network path, so it is rejected except on loopback.
import { quoted } from './bounds.ts'

export const LOCAL_SOCKET = '/var/run/docker.sock'

export interface TlsFiles {
  /** Paths of PEM files: the CA of the engine's certificate, and our own certificate with its key. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export type EngineConnection =
  | { readonly kind: 'unix'; readonly socket: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsFiles | undefined }
  /** `socket`: on the other machine. User, port, keys and known hosts may also come from the user's ssh configuration. */
  | {
      readonly kind: 'ssh'
      readonly host: string
      readonly user: string | undefined
      readonly port: number | undefined
      readonly socket: string
    }

const TLS_PORT = 2376

/** `tcp://box:2376`, `ssh://me@box:22/run/docker.sock`, `tcp://[::1]:2375`. */
const REMOTE =
  /^(?<kind>tcp|ssh):\/\/(?:(?<user>[\w.][\w.-]*)@)?(?<host>\[[\da-f:.]+\]|[\w.][\w.-]*)(?::(?<port>\d{1,5}))?(?<path>\/[^?#\s]*)?$/

type Unusable = { readonly problem: string }

/** Parses `unix:///run/docker.sock`, `tcp://box:2376` or `ssh://me@box`; otherwise returns a sentence that says what is wrong. */
export function parseEngineUrl(text: string, tls?: TlsFiles): EngineConnection | Unusable {
  if (text.startsWith('unix:///')) return { kind: 'unix', socket: text.slice('unix://'.length) }
  const remote = parseRemote(text)
  if (remote === undefined) return { problem: notAnEngine(text) }
  const { host, user, port, path } = remote
  if (remote.kind === 'ssh') return { kind: 'ssh', host, user, port, socket: path === '/' ? LOCAL_SOCKET : path }
  if (user !== undefined || path !== '/') return { problem: notAnEngine(text) }
  return tls === undefined && !isLoopback(host) ? { problem: withoutTls(text) } : { kind: 'tcp', host, port: port ?? TLS_PORT, tls }
}

/** The other machine that an engine's URL names. */
export const remoteNameIn = (text: string): string | undefined => parseRemote(text)?.host

function parseRemote(text: string) {
  const parts = REMOTE.exec(text)?.groups
  if (parts === undefined) return undefined
  const { kind = '', user, host = '', port, path = '/' } = parts
  const number = Number(port ?? 1)
  if (number === 0 || number > 65_535) return undefined
  return { kind, host: host.replaceAll(/[[\]]/g, ''), user, port: port === undefined ? undefined : Number(port), path }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

function withoutTls(text: string): string {
  return `${quoted(text)} would be used without TLS, which is refused on a network: name ca, cert and key under tls (hosts add: --tls-ca, --tls-cert, --tls-key)`
}

function notAnEngine(text: string): string {
  if (text === 'process') return '"process" names no engine: write kind: process'
  return `${quoted(text)} names no engine: write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host`
}

/** The engine in the operator's notation. */
export function describeEngine(connection: EngineConnection): string {
  if (connection.kind === 'unix') return connection.socket
  const { kind, host, port } = connection
  const user = connection.kind === 'ssh' && connection.user !== undefined ? `${connection.user}@` : ''
  // One machine may have several engines, each with its socket.
  const socket = connection.kind === 'ssh' && connection.socket !== LOCAL_SOCKET ? connection.socket : ''
  return `${kind}://${user}${inUrl(host)}${port === undefined ? '' : `:${port}`}${socket}`
}

/** In the Docker CLI's notation. */
export function toEngineUrl(connection: EngineConnection): string {
  return connection.kind === 'unix' ? `unix://${connection.socket}` : describeEngine(connection)
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
