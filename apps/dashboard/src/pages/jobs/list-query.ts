// The list of jobs as it is asked for. It begins with the code of its page, not after it: the address says all that it needs.
import { infiniteQueryOptions } from '@tanstack/react-query'
import { client } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import { sessionQuery } from '../../api/session.ts'
import { gatewayNow } from '../../app/clock.ts'
import { keepRange, toRange, type RangeSearch } from '../../app/range.ts'
import { readJobFilter, toSearch, type JobFilter } from './job-filter.ts'

const FIRST_PAGE = 100
const NEXT_PAGE = 500

/** One page of it; the first one without a cursor. */
export const readJobs = (filter: JobFilter, range: RangeSearch, cursor?: string) =>
  client.history.findJobs({
    ...toSearch(filter, toRange(range, gatewayNow())),
    limit: cursor === undefined ? FIRST_PAGE : NEXT_PAGE,
    cursor,
  })

export const jobListQuery = (filter: JobFilter, range: RangeSearch) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', filter, range],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) => readJobs(filter, range, cursor),
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  })

/** Unless some of it is there. Without a session nothing is asked for, and the page asks again for what fails. */
export async function beginJobList(search: Readonly<Record<string, unknown>>): Promise<void> {
  const query = jobListQuery(readJobFilter(search), keepRange(search))
  if (queryClient.getQueryData(query.queryKey) !== undefined) return
  const session = await queryClient.ensureQueryData(sessionQuery).catch(() => null)
  if (session !== null) await queryClient.prefetchInfiniteQuery(query)
}
