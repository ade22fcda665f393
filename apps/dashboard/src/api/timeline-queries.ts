// What the picture of the cards asks for.
import { queryOptions } from '@tanstack/react-query'
import type { SeriesSearch, TimelineSearch } from '@runyard/client'
import { gatewayNow } from '../app/clock.ts'
import { client } from './client.ts'

const LIVE_MS = 10_000

/** How long a pixel or a point is: asking more often shows nothing new. */
const stepOf = (from: number, to: number, steps: number): number => Math.max(LIVE_MS, (to - from) / steps)

/** A range that ends now is asked for again. */
const again = (from: number, to: number, steps: number) => () => (to > gatewayNow() - LIVE_MS ? stepOf(from, to, steps) : false)

export const timelineQuery = (search: TimelineSearch) =>
  queryOptions({
    queryKey: ['timeline', search],
    queryFn: () => client.history.timeline(search),
    refetchInterval: again(search.from, search.to, search.px),
  })

/** Numbers of endpoints, or readings of a card. */
export const stepsQuery = (search: SeriesSearch & { readonly from: number; readonly to: number; readonly points: number }) =>
  queryOptions({
    queryKey: ['steps', search],
    queryFn: () => client.history.series(search),
    refetchInterval: again(search.from, search.to, search.points),
  })

/** The last lines of a worker, for as long as they are kept. */
export const lastLinesQuery = (workerId: string) =>
  queryOptions({
    queryKey: ['last-lines', workerId],
    queryFn: () => client.history.logs({ worker: workerId, source: 'all', limit: 12 }),
    refetchInterval: LIVE_MS,
  })
