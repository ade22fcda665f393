// Where the client reaches this gateway, for URLs in answers. A proxy says it in X-Forwarded-*; whoever makes these headers up gets a wrong URL himself.
import type { FastifyRequest } from 'fastify'

const HOST = /^[A-Za-z0-9.:[\]_-]{1,255}$/u
const PREFIX = /^\/[A-Za-z0-9._~/-]{0,255}$/u

/** Without a slash at its end. */
export function baseOf(request: Pick<FastifyRequest, 'protocol' | 'host' | 'headers'>): string {
  const forwarded = (name: string): string =>
    String(request.headers[`x-forwarded-${name}`] ?? '')
      .split(',', 1)[0]
      ?.trim() ?? ''
  const protocol = forwarded('proto') === 'https' ? 'https' : request.protocol
  const [host, prefix] = [forwarded('host'), forwarded('prefix')]
  const path = PREFIX.test(prefix) ? prefix.replace(/\/+$/u, '') : ''
  return `${protocol}://${HOST.test(host) ? host : request.host}${path}`
}
