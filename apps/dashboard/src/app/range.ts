// The one range of time for the whole page, in the address: a span that ends now, or two fixed times.
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useNow } from '../ui/now.ts'

const HOUR_MS = 3_600_000

export const SPANS = {
  '15m': { label: 'last 15 minutes', ms: HOUR_MS / 4 },
  '1h': { label: 'last hour', ms: HOUR_MS },
  '6h': { label: 'last 6 hours', ms: 6 * HOUR_MS },
  '24h': { label: 'last 24 hours', ms: 24 * HOUR_MS },
  '3d': { label: 'last 3 days', ms: 72 * HOUR_MS },
  '7d': { label: 'last 7 days', ms: 168 * HOUR_MS },
} as const
export type Span = keyof typeof SPANS
export const SPAN_WORDS = Object.keys(SPANS) as readonly Span[]
const USUAL: Span = '1h'
/** How often a span that ends now moves on. */
const STEP_MS = 10_000

export interface RangeSearch {
  readonly range?: Span
  /** Epoch ms, both or none. */
  readonly from?: number
  readonly to?: number
}

/** The last time that a date can be. */
const LATEST_MS = 8.64e15

/** What of an address's search parameters is a range. The router keeps what is none, so their users read them again. */
export function readRange(search: object): RangeSearch {
  const given = new Map(Object.entries(search))
  const [from, to] = [Number(given.get('from')), Number(given.get('to'))]
  if (from > 0 && to > from && to <= LATEST_MS) return { from, to }
  const range = SPAN_WORDS.find((word) => word === given.get('range'))
  return range === undefined || range === USUAL ? {} : { range }
}

/** Of the search parameters only the range goes along to another page. */
export function keepRange(search: object): RangeSearch {
  return readRange(search)
}

export interface Range {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  /** Absent: two fixed times. */
  readonly span?: Span
}

export function toRange({ range = USUAL, from, to }: RangeSearch, now: number): Range {
  if (from !== undefined && to !== undefined) return { from, to }
  return { from: now - SPANS[range].ms, to: now, span: range }
}

const root = getRouteApi('__root__')

/** The range that the page shows now; one that ends now moves on every ten seconds. */
export function useRange(): Range {
  const search = useRangeSearch()
  const now = useNow(STEP_MS)
  return useMemo(() => toRange(search, now), [search, now])
}

/** As the address has it. */
export function useRangeSearch(): RangeSearch {
  const { range, from, to } = readRange(root.useSearch())
  return useMemo(
    () => ({ ...(range !== undefined && { range }), ...(from !== undefined && to !== undefined && { from, to }) }),
    [range, from, to],
  )
}
