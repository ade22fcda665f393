// Where the client reaches this gateway, for URLs in answers. A proxy says it in X-Forwarded-*, which count only from trusted addresses (ADR 88).
import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'

const HOST = /^[A-Za-z0-9.:[\]_-]{1,255}$/u
/** Never `//name`, which would be another host. */
const PREFIX = /^(?:\/[A-Za-z0-9._~-]{1,255}){1,16}\/?$/u

type Asked = Pick<FastifyRequest, 'protocol' | 'host' | 'headers'>

/** Without a slash at its end. */
export function baseOf(request: Asked): string {
  return `${ownOrigin(request)}${prefixOf(request)}`
}

/** `https://yard.example` */
export function ownOrigin(request: Asked): string {
  const host = forwarded(request, 'host')
  return `${isTls(request) ? 'https' : 'http'}://${HOST.test(host) ? host : request.host}`
}

/** The path that the gateway is served below, without a slash at its end: a proxy's, or `listen.basePath`. */
export function prefixOf(request: Pick<Asked, 'headers'>): string {
  const prefix = forwarded(request, 'prefix')
  return PREFIX.test(prefix) ? prefix.replace(/\/$/u, '') : ''
}

export function isTls(request: Pick<Asked, 'protocol' | 'headers'>): boolean {
  return request.protocol === 'https' || forwarded(request, 'proto') === 'https'
}

function forwarded({ headers }: Pick<Asked, 'headers'>, name: string): string {
  const [first = ''] = String(headers[`x-forwarded-${name}`] ?? '').split(',', 1)
  return first.trim()
}

/** Of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

export type IsTrusted = (address: string) => boolean

/** `networks`: addresses, and networks such as `10.0.0.0/8` (`listen.trustedProxies`). */
export function createTrust(networks: readonly string[]): IsTrusted {
  const trusted = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  return (address) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const CLAIMS = ['x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-prefix']

/** Empties what another peer than a trusted proxy says of our address. The names stay: `/metrics` takes them for signs of a proxy. */
export function dropClaims({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>, isTrusted: IsTrusted): void {
  // Looked up only for who claims something: it costs as much as a tenth of a submission.
  const claims = CLAIMS.filter((name) => headers[name] !== undefined)
  if (claims.length === 0 || isTrusted(socket.remoteAddress ?? '')) return
  for (const name of claims) headers[name] = ''
}
