// Numbers of an endpoint over the range of the page.
import { useMemo } from 'react'
import type { SeriesView } from '@runyard/schema/api'
import type { Range } from '../../app/range.ts'
import { Chart } from '../../ui/chart.tsx'
import type { ChartSeries } from '../../ui/chart-data.ts'
import { formatCount, formatDuration } from '../../ui/format.ts'

type Name = Exclude<keyof SeriesView['points'][number], 'at' | 'reason' | 'message'>
type Line = Omit<ChartSeries, 'values'> & { readonly of: Name }

interface Drawing {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  readonly isStacked?: boolean
  readonly isCount?: boolean
}

const formatSeconds = (seconds: number): string => formatDuration(seconds * 1000)

function percentiles(title: string, [p50, p95]: readonly [Name, Name], colour: string): Drawing {
  return {
    title,
    format: formatDuration,
    lines: [
      { of: p95, name: 'p95', colour, dash: true },
      { of: p50, name: 'p50', colour },
    ],
  }
}

export const CHARTS = {
  outcomes: {
    title: 'Jobs by outcome',
    format: formatCount,
    isStacked: true,
    isCount: true,
    lines: [
      { of: 'failed', name: 'failed', colour: '--state-trouble' },
      { of: 'timedOut', name: 'timed out', colour: '--state-pulling' },
      { of: 'cancelled', name: 'cancelled', colour: '--state-unknown' },
      { of: 'completed', name: 'completed', colour: '--state-busy' },
    ],
  },
  waits: percentiles('Wait for a worker', ['waitP50', 'waitP95'], '--hue-1'),
  runs: percentiles('Run time', ['runP50', 'runP95'], '--hue-3'),
  workers: {
    // The most of each phase within a step: one worker may have been in two, so they do not add up.
    title: 'Workers by phase, the most at a time',
    format: formatCount,
    isCount: true,
    lines: [
      { of: 'throttled', name: 'throttled', colour: '--state-trouble' },
      { of: 'draining', name: 'draining', colour: '--state-draining' },
      { of: 'starting', name: 'starting', colour: '--state-starting' },
      { of: 'idle', name: 'idle', colour: '--state-idle' },
      { of: 'busy', name: 'busy', colour: '--state-busy' },
    ],
  },
  queue: {
    title: 'Jobs that wait',
    format: formatCount,
    isCount: true,
    lines: [{ of: 'queue', name: 'waiting', colour: '--hue-1' }],
  },
  oldest: {
    title: 'Oldest wait',
    format: formatSeconds,
    isCount: true,
    lines: [{ of: 'oldestS', name: 'oldest', colour: '--hue-5' }],
  },
  accepted: {
    title: 'Jobs that came, and attempts that ran again',
    format: formatCount,
    isCount: true,
    lines: [
      { of: 'accepted', name: 'accepted', colour: '--hue-7' },
      { of: 'retried', name: 'ran again', colour: '--state-pulling', dash: true },
    ],
  },
} as const satisfies Record<string, Drawing>

export interface EndpointChartProps {
  readonly drawing: Drawing
  readonly data: SeriesView
  readonly range: Range
}

export function EndpointChart({ drawing: { title, lines, format, isStacked, isCount }, data, range }: EndpointChartProps) {
  const times = useMemo(() => data.points.map(({ at }) => at), [data])
  const series = useMemo(() => lines.map(({ of, ...line }) => ({ ...line, values: data.points.map((point) => point[of]) })), [data, lines])
  return (
    <Chart
      title={title}
      times={times}
      stepMs={data.stepMs}
      range={range}
      series={series}
      format={format}
      isStacked={isStacked ?? false}
      isCount={isCount ?? false}
    />
  )
}
