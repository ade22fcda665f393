// Names in the bars, where a bar has room for one; and a small corner where a worker is of another version than the one before.
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

/** In pixels of the page. `width`: of the view. */
export function labelsOf(
  { picture, layout, view }: { readonly picture: Picture; readonly layout: Layout; readonly view: View },
  width: number,
) {
  const labels: BarLabel[] = []
  const notches: VersionNotch[] = []
  if (layout.size === 'all') return { labels, notches }
  for (const { lane, y } of layout.rows) {
    const versions = new Map<string, number>()
    for (const { endpoint, version, phases } of (picture.lanes[lane]?.lane.workers ?? []).toSorted(byStart)) {
      const [first, last] = [phases[0], phases.at(-1)]
      if (first === undefined || last === undefined) continue
      const [from, to] = [placeOf(view, first.from) * width, placeOf(view, last.to) * width]
      const [left, right] = [Math.max(0, from), Math.min(width, to)]
      if (right - left >= LEAST_PX) labels.push({ text: endpoint.name, x: left, y, width: right - left })
      const before = versions.get(endpoint.id)
      if (before !== undefined && before !== version && from >= 0 && from < width) notches.push({ x: from, y })
      versions.set(endpoint.id, version)
    }
  }
  return { labels, notches }
}

type Started = { readonly phases: readonly View[] }
const byStart = (one: Started, other: Started): number => (one.phases[0]?.from ?? 0) - (other.phases[0]?.from ?? 0)
