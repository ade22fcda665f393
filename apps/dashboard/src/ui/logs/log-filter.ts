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
  return { ...(Object.fromEntries(words) as LogFilter), ...(level && { level }), ...(source && { source }) }
}

export function toLogSearch({ source, ...filter }: LogFilter): LogSearch {
  return { ...filter, source: source ?? 'all' }
}
