import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { WorkerLifeView } from '@runyard/schema/api'
import { livesQuery, seriesQuery } from '../../api/endpoint-queries.ts'
import { gatewayNow } from '../../app/clock.ts'
import { useRange, type Range } from '../../app/range.ts'
import { Chart } from '../../ui/chart.tsx'
import { formatDuration } from '../../ui/format.ts'
import { Problem } from '../../ui/problem.tsx'
import { adviseOnStarts } from '../../ui/start-phases.ts'
import { startSeries } from './start-series.ts'
import { CHARTS, EndpointChart } from './endpoint-charts.tsx'
import { useEndpoint } from './endpoint-context.ts'
import styles from './charts-tab.module.css'

/** Everything that is counted, over the range, and the cold starts in it. */
export function MetricsTab() {
  const { id } = useEndpoint()
  const range = useRange()
  const series = useQuery(seriesQuery(id, range))
  const lives = useQuery(livesQuery(id, range))
  const error = series.error ?? lives.error
  return (
    <div className={styles.tab}>
      {error && <Problem error={error} onRetry={() => void Promise.all([series.refetch(), lives.refetch()])} />}
      {series.data && lives.data && (
        <>
          <Advice lives={lives.data} />
          <div className={styles.charts}>
            {Object.values(CHARTS).map((drawing) => (
              <EndpointChart key={drawing.title} drawing={drawing} data={series.data} range={range} />
            ))}
            <ColdStarts lives={lives.data} range={range} stepMs={series.data.stepMs} />
          </div>
        </>
      )}
    </div>
  )
}

interface ColdStartProps {
  readonly lives: readonly WorkerLifeView[]
  readonly range: Range
  readonly stepMs: number
}

/** The median of each phase, on top of each other. */
function ColdStarts({ lives, range, stepMs }: ColdStartProps) {
  const { times, series } = useMemo(() => startSeries(lives, range, stepMs), [lives, range, stepMs])
  return (
    <Chart
      title="Cold starts (p50 of each phase)"
      times={times}
      stepMs={stepMs}
      range={range}
      series={series}
      format={formatDuration}
      isStacked
      isCount
    />
  )
}

function Advice({ lives }: { readonly lives: readonly WorkerLifeView[] }) {
  const advice = adviseOnStarts(lives, gatewayNow())
  return advice === undefined ? null : <p className={styles.advice}>{advice}</p>
}
