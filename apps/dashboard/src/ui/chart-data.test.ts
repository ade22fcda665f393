import { expect, it } from 'vitest'
import { alignSeries, stackSeries } from './chart-data.ts'

const range = { from: 90_000, to: 300_000 }

it('steps in which nothing happened are 0 for counts, and unknown for durations', () => {
  const points = { times: [120_000, 240_000], stepMs: 60_000, range, series: [{ name: 'done', colour: '--x', values: [3, 4] }] }
  expect(alignSeries({ ...points, empty: 0 })).toEqual({ times: [60_000, 120_000, 180_000, 240_000], values: [[0, 3, 0, 4]] })
  expect(alignSeries({ ...points, empty: null }).values).toEqual([[null, 3, null, 4]])
})

it('stacked series sum from the last to the first', () => {
  expect(
    stackSeries([
      [1, 2],
      [10, null],
      [100, 200],
    ]),
  ).toEqual([
    [111, 202],
    [110, 200],
    [100, 200],
  ])
})
