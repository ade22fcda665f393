// Where the client reaches this gateway, for URLs in answers. A proxy says it in X-Forwarded-*. A client that invents these headers gets a wrong URL itself.
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
