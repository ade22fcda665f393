import { expect, test } from 'vitest'
import { createSeries, renderSeries, type SeriesTable } from './series.ts'

const TABLE: SeriesTable<'jobs_total' | 'wait_seconds' | 'start_seconds' | 'up'> = {
  jobs_total: { kind: 'counter', help: 'Jobs.', labels: ['name', 'status'] },
  wait_seconds: { kind: 'histogram', help: 'Wait.', labels: ['name'], buckets: [0.1, 1] },
  start_seconds: { kind: 'summary', help: 'Start.', labels: [] },
  up: { kind: 'gauge', help: 'Up.', labels: [] },
}

test('the text has each metric once, in the order of the table, with the samples of all parts', () => {
  const [one, other] = [createSeries(TABLE), createSeries(TABLE)]
  one.set('up', [], 1)
  other.add('jobs_total', ['a', 'FAILED'], 2)
  one.add('jobs_total', ['a', 'COMPLETED'], 1)
  one.add('jobs_total', ['a', 'COMPLETED'], 1)
  expect(renderSeries(TABLE, [one.samples(), other.samples()])).toBe(
    [
      '# HELP jobs_total Jobs.',
      '# TYPE jobs_total counter',
      'jobs_total{name="a",status="COMPLETED"} 2',
      'jobs_total{name="a",status="FAILED"} 2',
      '# HELP up Up.',
      '# TYPE up gauge',
      'up 1',
      '',
    ].join('\n'),
  )
})

test('a histogram counts what is not above a bound, and a summary has only sum and count', () => {
  const series = createSeries(TABLE)
  for (const seconds of [0.1, 0.5, 7]) series.observe('wait_seconds', ['a'], seconds)
  series.observe('start_seconds', [], 2.5)
  const lines = renderSeries(TABLE, [series.samples()]).split('\n')
  expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
    'wait_seconds_bucket{name="a",le="0.1"} 1',
    'wait_seconds_bucket{name="a",le="1"} 2',
    'wait_seconds_bucket{name="a",le="+Inf"} 3',
    'wait_seconds_sum{name="a"} 7.6',
    'wait_seconds_count{name="a"} 3',
    'start_seconds_sum 2.5',
    'start_seconds_count 1',
    '',
  ])
})

test('quotes, backslashes and line ends in a label are escaped, and odd numbers are written as Prometheus reads them', () => {
  const series = createSeries(TABLE)
  series.set('jobs_total', ['a"b\\c\nd', 'x'], Infinity)
  series.set('up', [], Number.NaN)
  expect(renderSeries(TABLE, [series.samples()])).toContain(String.raw`jobs_total{name="a\"b\\c\nd",status="x"} +Inf`)
  expect(renderSeries(TABLE, [series.samples()])).toContain('up NaN')
})

test('series are dropped by their first label, and a cell of the wrong kind is refused', () => {
  const series = createSeries(TABLE)
  series.add('jobs_total', ['a', 'x'], 1)
  series.add('jobs_total', ['b', 'x'], 1)
  series.keep('jobs_total', (name) => name === 'b')
  series.keep('wait_seconds', () => false)
  expect(series.samples().get('jobs_total')).toEqual([{ values: ['b', 'x'], reading: { value: 1 } }])
  expect(() => series.value('wait_seconds', 'a')).toThrow('not a counter or a gauge')
  expect(() => series.distribution('up')).toThrow('not a histogram or a summary')
})
