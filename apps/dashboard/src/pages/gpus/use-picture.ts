// The data of a picture of cards: asked for around what is seen, at the width of the screen, and anew whenever something of it changes.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { EndpointView, PoolView, TimelineView } from '@runyard/schema/api'
import { useTopic } from '../../api/live.ts'
import { endpointsQuery, shapeOf } from '../../api/queries.ts'
import { releasesQuery } from '../../api/endpoint-queries.ts'
import { stepsQuery, timelineQuery } from '../../api/timeline-queries.ts'
import { SPANS, useRange, type Range } from '../../app/range.ts'
import { decisionsOf, type Steps } from '../../timeline/strip.ts'
import { windowOf, type View } from '../../timeline/view.ts'
import type { Group } from './routes.ts'

/** Widths in steps, so that a window that is drawn wider asks for nothing. */
const WIDTH_STEP = 40
/** No more than so often, however much happens; nor more than once in a pixel. */
const FRESHEN_MS = 2000
const MOST_POINTS = 600
const NO_STEPS: Steps = { stepMs: 60_000, points: [] }

export interface PictureSearch {
  readonly group?: Group | undefined
  readonly endpoint?: string | undefined
  readonly gpu?: string | undefined
  /** Of the picture, where it is known before its data; 0: not yet, so nothing is asked for. */
  readonly width?: number
  /** Single jobs are shown only if there are no more. */
  readonly mostJobs?: number
}

export interface PictureData {
  readonly data: TimelineView | undefined
  readonly steps: Steps
  readonly decisions: ReturnType<typeof decisionsOf>
  readonly view: View
  readonly range: Range
  readonly endpoints: readonly EndpointView[]
  readonly error: Error | null
  readonly refetch: () => void
  readonly onWidth: (width: number) => void
}

export function usePicture({ group, endpoint, gpu, width: known, mostJobs }: PictureSearch): PictureData {
  const range = useRange()
  const [seen, onWidth] = useState(0)
  // A picture that is there only with its data says its width too late, so the first one is guessed.
  const width = known ?? (seen || guessWidth())
  const { from, to, px } = windowOf(range, Math.ceil(width / WIDTH_STEP) * WIDTH_STEP)
  const timeline = useQuery({ ...timelineQuery({ from, to, px, group, endpoint, gpu, mostJobs }), enabled: width > 0 })
  const series = useQuery(stepsQuery({ from, to, endpoint, points: MOST_POINTS }))
  const releases = useQuery({ ...releasesQuery(endpoint ?? ''), enabled: endpoint !== undefined })
  const endpoints = useQuery({ ...endpointsQuery, refetchInterval: false })
  useFreshPicture(range.span !== undefined, (to - from) / px)
  const { data } = timeline
  const decisions = useMemo(
    () => (data === undefined ? [] : decisionsOf(data, endpoint === undefined ? [] : releases.data?.releases)),
    [data, endpoint, releases.data],
  )
  const view = useMemo(() => viewOf(range, data), [range, data])
  const error = timeline.error ?? series.error
  const refetch = (): void => void Promise.all([timeline.refetch(), series.refetch()])
  return { data, steps: series.data ?? NO_STEPS, decisions, view, range, endpoints: endpoints.data ?? [], error, refetch, onWidth }
}

const guessWidth = (): number => Math.min(1400, document.documentElement.clientWidth) - 170

/** A span ends at the gateway's now, whose clock may differ from the browser's. */
function viewOf({ from, to, span }: Range, data: TimelineView | undefined): View {
  if (span === undefined || data === undefined) return { from, to }
  const end = Math.min(data.to, data.now)
  return { from: end - SPANS[span].ms, to: end }
}

/** Asks again when the pool says that something changed; for the endpoints when it has workers of a new one. */
function useFreshPicture(isLive: boolean, pixelMs: number): void {
  const cache = useQueryClient()
  const due = useRef<ReturnType<typeof setTimeout>>(undefined)
  const shape = useRef<string>(undefined)
  const hear = useCallback(
    (value: unknown) => {
      const before = shape.current
      if (value !== undefined) shape.current = shapeOf(value as PoolView)
      if (before === undefined || before === shape.current) return
      const listed = cache.getQueryData(endpointsQuery.queryKey) ?? []
      const holders = (value as PoolView).hosts.flatMap(({ gpus }) => gpus.flatMap((card) => card.holders))
      const isListed = ({ endpoint }: (typeof holders)[number]) => endpoint === null || listed.some(({ id }) => id === endpoint.id)
      if (!holders.every(isListed)) void cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
      due.current ??= setTimeout(
        () => {
          due.current = undefined
          void cache.invalidateQueries({ queryKey: ['timeline'] })
        },
        Math.max(FRESHEN_MS, pixelMs),
      )
    },
    [cache, pixelMs],
  )
  useTopic(isLive ? 'pool' : undefined, hear)
}
