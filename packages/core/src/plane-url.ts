// The URL at which workers reach the worker plane. The operator's setting takes precedence. A wildcard address is only for listening, so the host's
// own address replaces it.

export interface PlaneSettings {
  /** The address on which the gateway listens for workers. */
  readonly host: string
  readonly port: number
  readonly url?: string | undefined
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** True for an address that is only for listening, not for connecting. */
export const isWildcardAddress = (host: string): boolean => WILDCARDS.has(host)

/** `address`: this machine's address for workers of one host. The result has no trailing slash, because clients append to it. */
export function planeUrlOf({ host, port, url }: PlaneSettings, address: string): string {
  return (url ?? `http://${inUrl(isWildcardAddress(host) ? address : host)}:${port}`).replace(/\/+$/, '')
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
