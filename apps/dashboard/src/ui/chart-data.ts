// Puts points on an even grid of time, so that lines break, or fall to 0, where nothing is known.

export interface ChartSeries {
  readonly name: string
  /** A token, such as `--state-busy`. */
  readonly colour: string
  readonly dash?: boolean
  /** Holds each value until the next one, as counts do. */
  readonly isStepped?: boolean
  /** One per time; null: not known. */
  readonly values: readonly (number | null)[]
}

export interface Points {
  /** Epoch ms, ascending. */
  readonly times: readonly number[]
  readonly stepMs: number
  readonly range: { readonly from: number; readonly to: number }
  readonly series: readonly ChartSeries[]
  /** What a step without a point is. */
  readonly empty: 0 | null
}

export interface Aligned {
  readonly times: readonly number[]
  /** Of each series, one per time. */
  readonly values: readonly (readonly (number | null)[])[]
}

const MOST = 4000

export function alignSeries({ times, stepMs, range, series, empty }: Points): Aligned {
  const first = range.from - (range.from % stepMs)
  const count = Math.min(MOST, Math.max(1, Math.ceil((range.to - first) / stepMs)))
  const grid = Array.from({ length: count }, (_, index) => first + index * stepMs)
  const places = new Map(times.map((at, index) => [at - (at % stepMs), index]))
  const values = series.map((one) =>
    grid.map((at) => {
      const place = places.get(at)
      return place === undefined ? empty : (one.values[place] ?? empty)
    }),
  )
  return { times: grid, values }
}

/** Each series on top of those after it, so that the first is drawn behind and ends highest. */
export function stackSeries(values: Aligned['values']): readonly (readonly number[])[] {
  const stacked: (readonly number[])[] = []
  let below: readonly number[] = []
  for (const one of values.toReversed()) {
    const floor = below
    const sums = one.map((value, index) => (value ?? 0) + (floor[index] ?? 0))
    stacked.unshift(sums)
    below = sums
  }
  return stacked
}
