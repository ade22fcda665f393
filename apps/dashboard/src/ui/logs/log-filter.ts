// Which lines of the logs are shown, as the address says it.
import type { LogSearch } from '@runyard/client'

const LEVELS = ['info', 'warn', 'error'] as const
const SOURCES = ['container', 'system'] as const

export interface LogFilter {
  readonly endpoint?: string
  readonly worker?: string
  readonly job?: string
  /** Of this level or a higher one. */
  readonly level?: (typeof LEVELS)[number]
  /** Absent: both. */
  readonly source?: (typeof SOURCES)[number]
  readonly q?: string
  /** Epoch ms of the line that a link is about. */
  readonly at?: number
}

/** What of an address's search parameters filters logs; anything else is left out. */
export function readLogFilter(search: Readonly<Record<string, unknown>>): LogFilter {
  const level = LEVELS.find((word) => word === search['level'])
  const source = SOURCES.find((word) => word === search['source'])
  const words = ['endpoint', 'worker', 'job', 'q'].flatMap((name) => {
    // The router reads a text of digits as a number.
    const value = typeof search[name] === 'number' ? String(search[name]) : search[name]
    return typeof value === 'string' && value !== '' ? [[name, value]] : []
  })
  const at = Number(search['at'])
  return { ...(Object.fromEntries(words) as LogFilter), ...(level && { level }), ...(source && { source }), ...(at > 0 && { at }) }
}

const AROUND_MS = 60_000

/** Everything that its worker wrote within a minute before and after it. */
export function contextOf({ workerId, at }: { readonly workerId: string; readonly at: number }) {
  return { worker: workerId, from: at - AROUND_MS, to: at + AROUND_MS, at }
}

export function toLogSearch({ source, at: _at, ...filter }: LogFilter): LogSearch {
  return { ...filter, source: source ?? 'all' }
}
