// Decides which requests may read `/metrics` without a key. A listener on loopback is open to the machine itself; a proxy on the same machine opens it
// to the network. So a request with any sign of a proxy, or with another name of this machine than a local client uses, needs a key. Fails closed: a
// request that is not known to be local needs a key.
import type { Config } from '@runyard/schema'
import { isLoopback } from '../http/base-url.ts'

/** What a request shows of where it comes from. */
export interface Origin {
  /** Of the peer's socket. */
  readonly ip: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly raw: { readonly httpVersion: string }
}

export function isOpenFor({ metrics, listen }: Pick<Config, 'metrics' | 'listen'>, request: Origin): boolean {
  if (metrics.open !== 'auto') return metrics.open === 'always'
  return isLoopback(listen.host) && isLoopback(plainAddress(request.ip)) && isLoopback(hostOf(request)) && !cameByProxy(request)
}

/** nginx adds no header unless it is asked to, and speaks HTTP/1.0 to what is behind it. */
function cameByProxy({ headers, raw }: Origin): boolean {
  const names = Object.keys(headers)
  return raw.httpVersion === '1.0' || names.some((name) => name === 'forwarded' || name === 'via' || /^x-(?:forwarded|real)-/u.test(name))
}

/** A web page that gave its own name our address names itself in `Host`. */
function hostOf({ headers: { host } }: Origin): string {
  return typeof host === 'string' ? host.replace(/:\d+$/u, '').replace(/^\[(.*)\]$/u, '$1') : ''
}

function plainAddress(ip: string): string {
  return ip.replace(/^::ffff:/u, '')
}
