// What did it cost, and who used it? Totals, then one line per endpoint, key, card type, host or day; its sums are the route's.
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { UsageView } from '@runyard/schema/api'
import { API_URL } from '../../api/client.ts'
import { usageQuery } from '../../api/queries.ts'
import { useRange, type Range } from '../../app/range.ts'
import { ScopeNote, useRefusal } from '../../app/scope.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatCost, formatPercent } from '../../ui/format.ts'
import { LinkButton } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Problem } from '../../ui/problem.tsx'
import { TabLinks } from '../../ui/tab-links.tsx'
import { formatHours, GROUPINGS, idleShare, toCommand, USUAL_GROUPING, type Grouping } from './describe-usage.ts'
import { Months } from './months.tsx'
import { PriceNote } from './price-note.tsx'
import { UsageTable } from './usage-table.tsx'
import styles from './usage-page.module.css'

const MINUTE_MS = 60_000

const route = getRouteApi('/usage')

export function UsagePage() {
  const { by = USUAL_GROUPING } = route.useSearch()
  const { asked, csvUrl, span } = useAsked(by)
  const refused = useRefusal('view')
  const { data, error, refetch } = useQuery({ ...usageQuery(asked), enabled: refused === undefined })
  return (
    <Page
      title="Usage"
      actions={
        <>
          <CopyButton text={toCommand({ by, span, csvUrl })} what="as command" />
          <LinkButton href={csvUrl} download={`usage-by-${by}.csv`}>
            Download CSV
          </LinkButton>
        </>
      }
    >
      <Months />
      <ScopeNote needed="view" />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {data && <Totals view={data} />}
      {data && <PriceNote total={data.total} currency={data.currency} />}
      <TabLinks label="Group by">
        {GROUPINGS.map((grouping) => (
          <Link
            key={grouping.by}
            to="/usage"
            search={({ by: _by, ...rest }) => ({ ...rest, ...(grouping.by !== USUAL_GROUPING && { by: grouping.by }) })}
            activeOptions={{ exact: true, explicitUndefined: true }}
          >
            {grouping.label}
          </Link>
        ))}
      </TabLinks>
      {data && <Lines view={data} by={by} />}
    </Page>
  )
}

/** What the route is asked for. A range that ends now begins at a whole minute, so that it is not asked for every few seconds. */
function useAsked(by: Grouping) {
  const range: Range = useRange()
  const from = range.span === undefined ? range.from : Math.floor(range.from / MINUTE_MS) * MINUTE_MS
  const to = range.span === undefined ? range.to : undefined
  return useMemo(() => {
    const times = { from: new Date(from).toISOString(), ...(to !== undefined && { to: new Date(to).toISOString() }) }
    const query = new URLSearchParams({ ...times, by, idle: 'true', format: 'csv' })
    return {
      asked: { from, ...(to !== undefined && { to }), by: [by], idle: true },
      span: range.span,
      csvUrl: `${API_URL}/runyard/v1/usage?${query}`,
    }
  }, [by, from, to, range.span])
}

function Totals({ view: { total, currency } }: { readonly view: UsageView }) {
  const idle = idleShare(total)
  return (
    <dl className={styles.totals}>
      <Total name="GPU time" value={formatHours(total.gpuSeconds)} hint="billed time of workers × their GPUs" />
      <Total name="Billed" value={formatHours(total.billableSeconds)} hint={`of ${formatHours(total.seconds)} of workers`} />
      <Total
        name="Idle share"
        value={idle === undefined ? '–' : formatPercent(idle)}
        hint={total.idleSeconds === null ? 'the history does not reach back so far' : 'billed time without a job'}
      />
      <Total
        name="Cost"
        value={total.cost > 0 ? formatCost(total.cost, currency) : '–'}
        hint={total.cost > 0 ? 'by the prices of today' : 'no price is set'}
      />
    </dl>
  )
}

function Total({ name, value, hint }: { readonly name: string; readonly value: string; readonly hint: string }) {
  return (
    <div className={styles.total}>
      <dt>{name}</dt>
      <dd className={styles.value}>{value}</dd>
      <dd className={styles.hint}>{hint}</dd>
    </div>
  )
}

function Lines({ view, by }: { readonly view: UsageView; readonly by: Grouping }) {
  if (view.usage.length === 0) {
    return (
      <Empty title="No worker ran in this range">
        Usage counts the time of workers. Choose a longer range, or send a job to an endpoint.
      </Empty>
    )
  }
  return <UsageTable view={view} by={by} />
}
