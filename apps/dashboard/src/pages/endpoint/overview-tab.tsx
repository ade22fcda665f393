import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { SeriesView } from '@runyard/schema/api'
import { seriesQuery } from '../../api/endpoint-queries.ts'
import { keepRange, useRange } from '../../app/range.ts'
import { Empty } from '../../ui/empty.tsx'
import { formatCount, formatDuration, formatPercent } from '../../ui/format.ts'
import { Problem } from '../../ui/problem.tsx'
import { CHARTS, EndpointChart } from './endpoint-charts.tsx'
import { useEndpoint } from './endpoint-context.ts'
import { throttledReasons } from './throttled-reasons.ts'
import styles from './charts-tab.module.css'

const SHOWN = [CHARTS.outcomes, CHARTS.workers, CHARTS.waits, CHARTS.runs]

/** The range in numbers, then over time. */
export function OverviewTab() {
  const { id } = useEndpoint()
  const range = useRange()
  const { data, error, refetch } = useQuery(seriesQuery(id, range))
  if (error && data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  if (data === undefined) return null
  return (
    <div className={styles.tab}>
      {data.points.length === 0 && (
        <Empty title="Nothing happened in this range">
          Choose a longer range, or{' '}
          <Link to="/endpoints/$id/requests" params={{ id }} search={keepRange}>
            try it
          </Link>
          : the numbers appear within a minute.
        </Empty>
      )}
      {data.points.length > 0 && (
        <>
          <Totals total={data.total} />
          <Throttled data={data} />
          <div className={styles.charts}>
            {SHOWN.map((drawing) => (
              <EndpointChart key={drawing.title} drawing={drawing} data={data} range={range} />
            ))}
          </div>
        </>
      )}
    </div>
  )
}

const NO_BREAK = '\u00a0'

function Totals({ total }: Pick<SeriesView, 'total'>) {
  const { accepted, completed, failed, timedOut, cancelled, retried, waitP50, waitP95, runP50, runP95 } = total
  const ended = completed + failed + timedOut
  const spans = (p50: number | null, p95: number | null): string =>
    p50 === null || p95 === null ? '–' : [p50, p95].map((ms) => formatDuration(ms).replaceAll(' ', NO_BREAK)).join(' / ')
  const numbers = [
    ['jobs accepted', formatCount(accepted)],
    ['completed', formatCount(completed)],
    ['failed or timed out', `${formatCount(failed + timedOut)}${ended === 0 ? '' : ` (${formatPercent((failed + timedOut) / ended)})`}`],
    ['cancelled', formatCount(cancelled)],
    ['attempts that ran again', formatCount(retried)],
    ['wait p50 / p95', spans(waitP50, waitP95)],
    ['run p50 / p95', spans(runP50, runP95)],
  ] as const
  return (
    <dl className={styles.totals}>
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Throttled({ data }: { readonly data: SeriesView }) {
  const reasons = throttledReasons(data)
  if (reasons.length === 0) return null
  return (
    <p className={styles.reasons}>
      Workers had no place:{' '}
      {reasons.map(({ reason, message, ms }, index) => (
        <span key={reason} title={reason}>
          {index > 0 && '; '}
          {message} (for {formatDuration(ms)})
        </span>
      ))}
    </p>
  )
}
