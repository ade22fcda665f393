// Both outcomes beside each other: workers over time, then the numbers.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Preview } from '@runyard/core/preview'
import type { EndpointView } from '@runyard/schema/api'
import { Chart } from '../../ui/chart.tsx'
import { DataTable, type TableColumn } from '../../ui/data-table.tsx'
import { formatCost, formatCount, formatDuration, formatPercent } from '../../ui/format.ts'
import { pricesQuery } from '../../api/queries.ts'
import { outcomeOf, type Arrivals, type Outcome } from './arrivals.ts'
import type { PastDay } from './preview-queries.ts'
import { formatHours } from '../usage/describe-usage.ts'
import styles from './preview.module.css'

const POINTS = 300

interface PreviewResultProps {
  readonly endpoint: EndpointView
  readonly arrivals: Arrivals
  readonly past: PastDay | undefined
  /** Of a worker, at most. */
  readonly jobsAtOnce: number
  readonly previews: readonly Preview[]
  readonly isRunning: boolean
}

export function PreviewResult({ endpoint, arrivals, past, jobsAtOnce, previews, isRunning }: PreviewResultProps) {
  const [now, tried] = previews
  return (
    <section className={styles.result} aria-label="What would have happened" aria-busy={isRunning}>
      <p role="status" className={isRunning ? styles.intro : 'visually-hidden'}>
        {isRunning ? 'The plan runs over the jobs…' : 'The preview is up to date.'}
      </p>
      {now && tried && (
        <>
          <WorkersChart arrivals={arrivals} previews={[now, tried]} />
          <p className={styles.intro}>{assumptionsOf(past, jobsAtOnce)}</p>
          <Numbers endpoint={endpoint} past={past} now={now} tried={tried} />
        </>
      )}
    </section>
  )
}

/** Why “as it is” differs from what happened. */
function assumptionsOf(past: PastDay | undefined, jobsAtOnce: number): string {
  const several = jobsAtOnce === 1 ? 'one job at a time' : `up to ${jobsAtOnce} jobs at a time, each as long as it was`
  const was = past === undefined || past.jobs.length === 0 ? '' : ' “As it was” is what happened.'
  return `“As it is” and “as tried” are plans on paper: each worker finds a card at once, each start succeeds and takes as long as usual, and a worker has ${several}.${was}`
}

/** The highest of each step, so that no short peak is lost. */
function WorkersChart({ arrivals: { from, forMs }, previews }: { readonly arrivals: Arrivals; readonly previews: readonly Preview[] }) {
  const stepMs = forMs / POINTS
  const data = useMemo(() => {
    const times = Array.from({ length: POINTS }, (_, at) => from + at * stepMs)
    const colours = ['--hue-1', '--hue-5']
    const names = ['as it is', 'as tried']
    const series = previews.map((preview, at) => ({
      name: names[at] ?? '',
      colour: colours[at] ?? '--hue-1',
      isStepped: true,
      ...(at === 1 && { dash: true }),
      values: highest(preview.workers, stepMs),
    }))
    return { times, series, range: { from, to: from + forMs } }
  }, [from, forMs, stepMs, previews])
  return <Chart title="Workers" {...data} stepMs={stepMs} format={formatCount} isCount />
}

function highest(changes: Preview['workers'], stepMs: number): readonly number[] {
  const values = Array.from({ length: POINTS }, () => 0)
  for (const [at, { at: from, count }] of changes.entries()) {
    const to = changes[at + 1]?.at ?? POINTS * stepMs
    for (let step = Math.floor(from / stepMs); step < POINTS && step * stepMs < to; step += 1)
      values[step] = Math.max(values[step] ?? 0, count)
  }
  return values
}

interface Row {
  readonly what: string
  /** What happened; empty where the jobs are imagined. */
  readonly was: string
  readonly now: string
  readonly tried: string
}

const COLUMNS: readonly TableColumn<Row>[] = [
  { name: 'what', cell: ({ what }) => what },
  { name: 'as it was', isNumber: true, cell: ({ was }) => was },
  { name: 'as it is', isNumber: true, cell: ({ now }) => now },
  { name: 'as tried', isNumber: true, cell: ({ tried }) => <strong>{tried}</strong> },
]

interface NumbersProps extends Pick<PreviewResultProps, 'endpoint' | 'past'> {
  readonly now: Preview
  readonly tried: Preview
}

function Numbers({ endpoint, past, now, tried }: NumbersProps) {
  const costOf = useCost(endpoint, past)
  const was = past === undefined || past.jobs.length === 0 ? undefined : outcomeOf(past.jobs, past.lives, past)
  const wait = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms))
  const idle = ({ workerMs, workMs }: Outcome): string => (workerMs === 0 ? '–' : formatPercent(1 - workMs / workerMs))
  const cards = endpoint.gpu?.count ?? 0
  const time = ({ workerMs }: Outcome): string => formatHours((workerMs * Math.max(1, cards)) / 1000)
  const row = (what: string, of: (outcome: Outcome) => string): Row => ({
    what,
    was: was === undefined ? '' : of(was),
    now: of(now),
    tried: of(tried),
  })
  const rows = [
    row('p50 wait', ({ waitP50Ms }) => wait(waitP50Ms)),
    row('p95 wait', ({ waitP95Ms }) => wait(waitP95Ms)),
    row('Cold starts', ({ coldStarts }) => formatCount(coldStarts)),
    row(cards === 0 ? 'Time of workers' : 'GPU time', time),
    row('Idle share', idle),
    row('Cost', costOf),
    row('Jobs not started at the end', ({ notStarted }) => formatCount(notStarted)),
  ]
  const columns = was === undefined ? COLUMNS.filter(({ name }) => name !== 'as it was') : COLUMNS
  return <DataTable caption="Outcomes" columns={columns} rows={rows} keyOf={({ what }) => what} />
}

/** By the price of the card that its workers had last; a dash where that has no price. */
function useCost({ gpu }: EndpointView, past: PastDay | undefined): (outcome: Outcome) => string {
  const { data: prices } = useQuery(pricesQuery)
  const card = past?.lives.find(({ gpus }) => gpus.length > 0)?.gpus[0]?.name ?? ''
  const perHour = gpu === null ? prices?.cpuWorkerPerHour : prices?.gpuPerHour[card]
  return ({ workerMs }) =>
    !perHour || prices === undefined ? '–' : formatCost((workerMs / 3_600_000) * perHour * (gpu?.count ?? 1), prices.currency)
}
