// Names in the bars, where a bar has room for one; and a small corner where a worker is of another version than the one before.
import { workersOf, type Workers } from './describe.ts'
import type { Layout } from './layout.ts'
import type { Picture } from './picture.ts'
import { placeOf, type View } from './view.ts'

/** A name needs so much. */
const LEAST_PX = 60

export interface BarLabel {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly width: number
}

export interface VersionNotch {
  readonly x: number
  readonly y: number
}

export interface Labels {
  readonly labels: readonly BarLabel[]
  readonly notches: readonly VersionNotch[]
}

/** In pixels of the page. `width`: of the view. */
export function labelsOf(scene: { readonly picture: Picture; readonly layout: Layout; readonly view: View }, width: number): Labels {
  const { picture, layout, view } = scene
  if (layout.size === 'all') return { labels: [], notches: [] }
  const rows = layout.rows.flatMap(({ lane, y }) => {
    const own = picture.lanes[lane]
    return own === undefined ? [] : [{ y, workers: workersOf(own) }]
  })
  const xOf = (at: number): number => placeOf(view, at) * width
  const labels = rows.flatMap(({ y, workers }) =>
    workers.flatMap(({ worker, span }): BarLabel[] => {
      const [left, right] = [Math.max(0, xOf(span.from)), Math.min(width, xOf(span.to))]
      return right - left < LEAST_PX ? [] : [{ text: worker.endpoint.name, x: left, y, width: right - left }]
    }),
  )
  const notches = rows.flatMap(({ y, workers }) => changesOf(workers).map((at) => ({ x: xOf(at), y })))
  return { labels, notches: notches.filter(({ x }) => x >= 0 && x < width) }
}

/** When an endpoint came back to the card in another version. */
function changesOf(workers: readonly Workers[]): readonly number[] {
  const versions = new Map<string, number>()
  return workers.flatMap(({ worker: { endpoint, version }, span }) => {
    const before = versions.get(endpoint.id)
    versions.set(endpoint.id, version)
    return before === undefined || before === version ? [] : [span.from]
  })
}
