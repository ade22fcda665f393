import type { WorkerLifeView } from '@runyard/schema/api'
import type { Range } from '../../app/range.ts'
import type { ChartSeries } from '../../ui/chart-data.ts'
import { START_PHASES, startPhases, usualPhases } from '../../ui/start-phases.ts'

const COLOURS = {
  image: '--state-pulling',
  create: '--state-starting',
  boot: '--hue-3',
  'first function': '--hue-1',
} as const

/** The usual phases of the cold starts that began in each step. */
export function startSeries(
  lives: readonly Pick<WorkerLifeView, 'times'>[],
  { from, to }: Pick<Range, 'from' | 'to'>,
  stepMs: number,
): { readonly times: readonly number[]; readonly series: readonly ChartSeries[] } {
  const started = lives.filter(({ times }) => times.placed >= from && times.placed < to && startPhases(times).length > 0)
  const steps = [...Map.groupBy(started, ({ times }) => times.placed - (times.placed % stepMs))].toSorted(([a], [b]) => a - b)
  const usual = steps.map(([, own]) => usualPhases(own))
  const series = START_PHASES.map(({ name }) => ({
    name,
    colour: COLOURS[name],
    values: usual.map((phases) => phases.get(name) ?? null),
  }))
  return { times: steps.map(([at]) => at), series: series.toReversed() }
}
