// The list, page by page. While only its beginning is there it is read again when something changes; once more is there it stands still and says that
// there is news: two readings have different cursors, and would show a job twice (ADR 91).
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import type { FoundJob, JobSearchView } from '@runyard/schema/api'
import { useTopic } from '../../api/live.ts'
import { NOTHING_MEANWHILE } from '../../api/queries.ts'
import type { RangeSearch } from '../../app/range.ts'
import { jobsOf, type JobFilter } from './job-filter.ts'
import { jobListQuery, readJobs } from './list-query.ts'

const LOOK_MS = 5000
/** The history has a job a second after its end. */
const SETTLED_MS = 1200

export interface JobList {
  readonly jobs: readonly FoundJob[]
  readonly error: Error | null
  readonly isPending: boolean
  readonly isReading: boolean
  readonly hasMore: boolean
  /** What is shown is of another filter, until this one is answered. */
  readonly isOld: boolean
  readonly hasNews: boolean
  readonly readMore: () => void
  readonly readAgain: () => void
}

export function useJobList(filter: JobFilter, range: RangeSearch): JobList {
  const cache = useQueryClient()
  const query = useMemo(() => jobListQuery(filter, range), [filter, range])
  const { queryKey } = query
  const list = useInfiniteQuery({
    ...query,
    refetchInterval: ({ state }) => (isLong(state.data?.pages) ? false : LOOK_MS),
  })
  const pages = list.data?.pages
  const stands = isLong(pages)
  const head = useQuery({
    ...NOTHING_MEANWHILE,
    queryKey: ['jobs', 'head', filter, range],
    queryFn: () => readJobs(filter, range),
    enabled: stands,
    refetchInterval: LOOK_MS,
  })
  useChanges(() => void cache.invalidateQueries({ queryKey: stands ? ['jobs', 'head'] : queryKey }))
  return {
    jobs: useMemo(() => jobsOf(pages), [pages]),
    error: list.error,
    isPending: list.isPending,
    isReading: list.isFetching,
    hasMore: list.hasNextPage,
    isOld: list.isPlaceholderData,
    hasNews: stands && isNews(head.data, pages?.[0]),
    readMore: () => void (list.isFetching || list.fetchNextPage()),
    readAgain: useCallback(() => void cache.resetQueries({ queryKey }), [cache, queryKey]),
  }
}

type Pages = readonly JobSearchView[] | undefined

const isLong = (pages: Pages): boolean => (pages?.length ?? 0) > 1

function isNews(now: JobSearchView | undefined, shown: JobSearchView | undefined): boolean {
  const describe = (page: JobSearchView | undefined): string | undefined => page?.jobs.map(({ id, status }) => `${id} ${status}`).join()
  return now !== undefined && describe(now) !== describe(shown)
}

/** Calls after something has changed at any endpoint, at most once in a while. */
function useChanges(onChange: () => void): void {
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )
  const hear = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      latest.current()
    }, SETTLED_MS)
  }, [])
  useTopic('endpoints', hear)
}
