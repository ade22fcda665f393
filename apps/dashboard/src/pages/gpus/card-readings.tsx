import { useQuery } from '@tanstack/react-query'
import type { SeriesView } from '@runyard/schema/api'
import { stepsQuery } from '../../api/timeline-queries.ts'
import type { Range } from '../../app/range.ts'
import { Chart } from '../../ui/chart.tsx'
import { Empty } from '../../ui/empty.tsx'
import { formatPercent } from '../../ui/format.ts'
import styles from './gpus.module.css'

const POINTS = 400

interface CardReadingsProps {
  readonly uuid: string
  readonly range: Range
  readonly isSimulated: boolean
}

/** What the driver said of a card over time. */
export function CardReadings({ uuid, range, isSimulated }: CardReadingsProps) {
  const { data } = useQuery(stepsQuery({ gpu: uuid, from: range.from, to: range.to, points: POINTS }))
  if (data === undefined) return null
  if (data.samples.length === 0 && isSimulated) return null
  if (data.samples.length === 0)
    return <Empty title="There is no reading of this range">A card is read every ten seconds while the scaler runs.</Empty>
  const common = { times: data.samples.map(({ at }) => at), stepMs: data.stepMs, range }
  const values = (name: Exclude<keyof SeriesView['samples'][number], 'at'>) => data.samples.map((sample) => sample[name])
  return (
    <section aria-labelledby="readings" className={styles.charts}>
      <h2 id="readings">Readings</h2>
      <Chart
        title="Load and memory"
        {...common}
        format={formatPercent}
        series={[
          { name: 'load', colour: '--state-busy', values: values('load') },
          { name: 'memory', colour: '--hue-1', dash: true, values: values('memory') },
        ]}
      />
      <Chart
        title="Power"
        {...common}
        format={(value) => `${Math.round(value)} W`}
        series={[{ name: 'power', colour: '--hue-3', values: values('powerW') }]}
      />
      <Chart
        title="Temperature"
        {...common}
        format={(value) => `${Math.round(value)} °C`}
        series={[{ name: 'temperature', colour: '--state-starting', values: values('temperatureC') }]}
      />
    </section>
  )
}
