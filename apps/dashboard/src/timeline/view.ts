// Which part of time is seen, and how it moves: pure, so that keys, wheel, fingers and buttons move it alike. Times are epoch ms.

export interface View {
  readonly from: number
  readonly to: number
}

const LEAST_MS = 2000
const MOST_MS = 7 * 24 * 3_600_000

export const lengthOf = ({ from, to }: View): number => to - from

/** Where a time stands, 0 to 1 within the view. */
export const placeOf = (view: View, at: number): number => (at - view.from) / lengthOf(view)

export const timeAt = (view: View, place: number): number => view.from + place * lengthOf(view)

/** Nothing is known of the future, so a view ends now at the latest; its length stays. */
function keepInPast({ from, to }: View, now: number): View {
  const over = Math.max(0, to - now)
  return { from: Math.round(from - over), to: Math.round(to - over) }
}

/** `by`: of the view's length, backwards where negative. */
export function panView(view: View, by: number, now: number): View {
  const ms = by * lengthOf(view)
  return keepInPast({ from: view.from + ms, to: view.to + ms }, now)
}

export interface Zoom {
  /** Below 1: nearer. */
  readonly factor: number
  /** What stays where it is, 0 to 1 within the view. */
  readonly place: number
}

export function zoomView(view: View, { factor, place }: Zoom, now: number): View {
  const length = Math.min(MOST_MS, Math.max(LEAST_MS, lengthOf(view) * factor))
  const from = timeAt(view, place) - place * length
  return keepInPast({ from, to: from + length }, now)
}

/** Two places in any order become a view; undefined where they are too close to be meant. */
export function selectView(view: View, one: number, other: number): View | undefined {
  const [from, to] = [one, other].toSorted((a, b) => a - b).map((place) => Math.round(timeAt(view, Math.min(1, Math.max(0, place)))))
  return from === undefined || to === undefined || to - from < LEAST_MS ? undefined : { from, to }
}

/** The view moved as little as it takes to show a time a tenth inside its edges. */
export function showTime(view: View, at: number, now: number): View {
  const place = placeOf(view, at)
  const [least, most] = [0.1, 0.9]
  if (place >= 0 && place <= 1) return view
  return panView(view, place - (place < 0 ? least : most), now)
}

/** What to ask the gateway for: some more on both sides, in steps, so that small moves ask for nothing. */
export function windowOf(view: View, width: number): View & { readonly px: number } {
  const step = Math.max(1000, lengthOf(view) / 8)
  const from = Math.max(0, Math.floor((view.from - step / 2) / step) * step)
  const to = Math.ceil((view.to + step / 2) / step) * step
  return {
    from: Math.round(from),
    to: Math.round(to),
    px: Math.min(4000, Math.max(10, Math.round((width * (to - from)) / lengthOf(view)))),
  }
}
