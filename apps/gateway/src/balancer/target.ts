// Which endpoint a request is for: by its Host, `<endpoint>.<base name>`, or by its path, `/lb/<endpoint>/…`, for those without a wildcard name. The rest
// of the path goes on as it came.
import type { IncomingMessage } from 'node:http'

/** As the app's routes know them. */
export const LB_PATH = '/lb/'
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,62})$/

export type FindTarget = (request: Pick<IncomingMessage, 'headers' | 'url'>) => string | undefined

/** Returns what finds the path below `/lb/` that a request is for; undefined: it is for no load-balanced endpoint. */
export function createFindTarget(names: readonly string[]): FindTarget {
  const bases = new Set(names.map((name) => name.toLowerCase()))
  return ({ headers, url = '/' }) => {
    const label = labelOf(headers.host ?? '', bases)
    if (label !== undefined) return `${LB_PATH}${label}${url.startsWith('/') ? url : `/${url}`}`
    return url.startsWith(LB_PATH) ? url : undefined
  }
}

function labelOf(host: string, bases: ReadonlySet<string>): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '')
  const dot = name.indexOf('.')
  if (dot === -1 || bases.has(name) || !bases.has(name.slice(dot + 1))) return undefined
  const label = name.slice(0, dot)
  return LABEL.test(label) ? label : undefined
}

/** `/lb/ep1/a?b` → `/a?b`; `/lb/ep1?b` → `/?b`. */
export function pathBelow(url: string): string {
  const rest = url.slice(url.indexOf('/', LB_PATH.length) === -1 ? url.length : url.indexOf('/', LB_PATH.length))
  if (rest !== '') return rest
  const query = url.indexOf('?')
  return query === -1 ? '/' : `/${url.slice(query)}`
}

/** The endpoint's id in a path below `/lb/`. */
export function endpointIdIn(url: string): string {
  return /^[^/?]*/.exec(url.slice(LB_PATH.length))?.[0] ?? ''
}
