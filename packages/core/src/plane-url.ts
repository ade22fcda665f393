// At which URL workers reach the worker plane. What the operator says wins; a wildcard address is one to listen on, so there a host's own knowledge counts.

export interface PlaneSettings {
  /** Where the gateway listens for workers. */
  readonly host: string
  readonly port: number
  readonly url?: string | undefined
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** One to listen on, not to connect to. */
export const isWildcardAddress = (host: string): boolean => WILDCARDS.has(host)

/** `address`: this machine as workers of one host see it. Without a slash at the end, since clients append to it. */
export function planeUrlOf({ host, port, url }: PlaneSettings, address: string): string {
  return (url ?? `http://${inUrl(isWildcardAddress(host) ? address : host)}:${port}`).replace(/\/+$/, '')
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
