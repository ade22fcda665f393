// What the picture of the cards asks for.
import { queryOptions } from '@tanstack/react-query'
import type { SeriesSearch, TimelineSearch } from '@runyard/client'
import { client } from './client.ts'

/** How often a picture that ends now is asked for again. */
const LIVE_MS = 10_000

export const timelineQuery = (search: TimelineSearch) =>
  queryOptions({
    queryKey: ['timeline', search],
    queryFn: () => client.history.timeline(search),
    enabled: search.px > 10,
    refetchInterval: () => (search.to > Date.now() - LIVE_MS ? LIVE_MS : false),
  })

/** Numbers of endpoints, or readings of a card. */
export const stepsQuery = (search: SeriesSearch & { readonly to: number }) =>
  queryOptions({
    queryKey: ['steps', search],
    queryFn: () => client.history.series(search),
    refetchInterval: () => (search.to > Date.now() - LIVE_MS ? LIVE_MS : false),
  })

/** The last lines of a worker, for as long as they are kept. */
export const lastLinesQuery = (workerId: string) =>
  queryOptions({
    queryKey: ['last-lines', workerId],
    queryFn: () => client.history.logs({ worker: workerId, source: 'all', limit: 12 }),
    refetchInterval: LIVE_MS,
  })
