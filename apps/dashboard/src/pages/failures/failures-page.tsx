// What failed, and why: failures of the range, grouped by endpoint and by what their errors have in common.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { BulkBody, FailureListView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { endpointsQuery } from '../../api/queries.ts'
import { gatewayNow } from '../../app/clock.ts'
import { keepRange, type Range, type RangeSearch, toRange } from '../../app/range.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCount } from '../../ui/format.ts'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { Select } from '../../ui/select.tsx'
import { BulkDialog } from '../jobs/bulk-dialog.tsx'
import { FailureGroup } from './failure-group.tsx'
import styles from './failures-page.module.css'

type Group = FailureListView['failures'][number]

const route = getRouteApi('/failures')
const LOOK_MS = 10_000
const ALL = ''

/** A span that ends now has no end, so that what fails meanwhile is there. */
function boundsOf(range: Range): { readonly since: number; readonly until?: number } {
  return { since: range.from, ...(range.span === undefined && { until: range.to }) }
}

export function FailuresPage() {
  const search = route.useSearch()
  const { endpoint } = search
  const range = keepRange(search)
  const navigate = useNavigate()
  const { data: endpoints = [] } = useQuery(endpointsQuery)
  const { data, error, refetch } = useQuery({
    queryKey: ['failures', endpoint, range],
    queryFn: () => client.history.failures({ endpoint, ...boundsOf(toRange(range, gatewayNow())) }),
    refetchInterval: LOOK_MS,
  })
  const [retried, retry] = useState<BulkBody['filter']>()
  const ask = (group: Group): void =>
    retry({ endpoint: group.endpoint.id, error: group.fingerprint, ...boundsOf(toRange(range, gatewayNow())) })
  return (
    <Page
      title="Failures"
      actions={
        <Select
          label="Endpoint"
          value={endpoint ?? ALL}
          options={[{ value: ALL, label: 'all endpoints' }, ...endpoints.map(({ name }) => ({ value: name, label: name }))]}
          onChange={(value) => void navigate({ to: '/failures', search: { ...range, ...(value !== ALL && { endpoint: value }) } })}
        />
      }
    >
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data !== undefined && data.total > 0 && <p role="status">{describe(data)}</p>}
      {data?.failures.length === 0 && <NoFailures range={range} endpoint={endpoint} />}
      <ul className={styles.groups} aria-label="Groups of failures">
        {data?.failures.map((group) => (
          <FailureGroup key={`${group.endpoint.id} ${group.fingerprint}`} group={group} onRetry={() => ask(group)} />
        ))}
      </ul>
      {retried && <BulkDialog action="retry" filter={retried} which="of this group" onClose={() => retry(undefined)} />}
    </Page>
  )
}

/** `12 jobs failed for 3 reasons`. */
function describe({ total, failures, isComplete }: FailureListView): string {
  const reasons = failures.length === 1 ? 'for one reason' : `for ${failures.length} reasons`
  const least = isComplete ? '' : '; the range has more than could be read at once'
  return `${formatCount(total)} ${total === 1 ? 'job' : 'jobs'} failed ${reasons}${least}.`
}

function NoFailures({ range, endpoint }: { readonly range: RangeSearch; readonly endpoint: string | undefined }) {
  const navigate = useNavigate()
  return (
    <Empty title="Nothing failed in this range">
      <p>Failed and timed-out jobs would be here, those with the same error together.</p>
      <div className={styles.actions}>
        {range.range !== '7d' && (
          <Button onClick={() => void navigate({ to: '/failures', search: { range: '7d', ...(endpoint !== undefined && { endpoint }) } })}>
            Look at the last 7 days
          </Button>
        )}
        <Link to="/jobs" search={keepRange}>
          All jobs
        </Link>
      </div>
    </Empty>
  )
}
