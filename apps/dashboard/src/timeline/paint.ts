// Paints the lanes into pixels: a pure function of picture, layout and view, fast enough for 64 lanes in each frame. Whatever the size, two things are
// always seen: a failed job and a card out of use, however short they were.
import type { Layout, Row } from './layout.ts'
import { HUES } from './hues.ts'
import { paintReadings } from './paint-readings.ts'
import type { Palette } from './palette.ts'
import { GRID, NOTHING, TILE, type Patterns } from './patterns.ts'
import { PHASES, type LanePicture, type Picture } from './picture.ts'
import { lengthOf, placeOf, type View } from './view.ts'

export interface Sheet {
  readonly pixels: Uint32Array
  /** In pixels of the screen. */
  readonly width: number
  readonly height: number
  /** Pixels of the screen per pixel of the page. */
  readonly ratio: number
}

export interface Scene {
  readonly picture: Picture
  readonly layout: Layout
  readonly view: View
  readonly palette: Palette
  readonly patterns: Patterns
  /** Times with a line through all lanes. */
  readonly ticks: readonly number[]
}

/** Parts of a lane from its top, in pixels of the page. */
export interface Bands {
  readonly bar: readonly [from: number, to: number]
  readonly jobs?: readonly [from: number, to: number]
  readonly readings?: readonly [from: number, to: number]
}

export function bandsOf({ size }: Layout, height: number): Bands {
  if (size === 'full') return { bar: [3, 21], jobs: [22, 28], readings: [30, height - 2] }
  if (size === 'half') return { bar: [1, height - 11], jobs: [height - 10, height - 7], readings: [height - 6, height - 1] }
  return { bar: [1, height - 1] }
}

const [PULLING, QUARANTINED, UNKNOWN] = [PHASES.indexOf('pulling'), PHASES.indexOf('quarantined'), PHASES.indexOf('unknown')]
/** The least width of what must be seen. */
const MARK_PX = 3

export function paintLanes(sheet: Sheet, scene: Scene): void {
  sheet.pixels.fill(scene.palette.surface)
  const columns = columnsOf(sheet, scene)
  const kinds = new Uint8Array(sheet.width)
  for (const row of scene.layout.rows) {
    const lane = scene.picture.lanes[row.lane]
    if (lane === undefined) continue
    fillKinds(kinds, { columns, lane, sheet, scene })
    const pen = createPen(sheet, scene, row)
    pen.bar(kinds)
    pen.jobs(lane)
    if (pen.bands.readings !== undefined) paintReadings(sheet, scene, { lane, row, band: pen.bands.readings })
    pen.failures(lane)
  }
}

/** Per pixel the column of the answer, or a kind below zero: nothing known, or a line of the axis. */
interface Columns {
  readonly column: Int32Array
  readonly isTick: Uint8Array
}

function columnsOf({ width }: Sheet, { picture, view, ticks }: Scene): Columns {
  const column = new Int32Array(width)
  const msPerPixel = lengthOf(view) / width
  const known = Math.min(picture.to, picture.now)
  for (let x = 0; x < width; x += 1) {
    const at = view.from + (x + 0.5) * msPerPixel
    column[x] = at < picture.from || at >= known ? -1 : Math.floor((at - picture.from) / picture.columnMs)
  }
  const isTick = new Uint8Array(width)
  for (const at of ticks) {
    const x = Math.round(placeOf(view, at) * width)
    if (x >= 0 && x < width) isTick[x] = 1
  }
  return { column, isTick }
}

interface LaneToFill {
  readonly columns: Columns
  readonly lane: LanePicture
  readonly sheet: Sheet
  readonly scene: Scene
}

function fillKinds(kinds: Uint8Array, { columns: { column, isTick }, lane, sheet, scene }: LaneToFill): void {
  const { phases, absences } = lane
  for (let x = 0; x < kinds.length; x += 1) {
    const at = column[x] ?? -1
    const kind = at < 0 ? NOTHING : (phases[at] ?? 0)
    kinds[x] = kind === 0 && isTick[x] === 1 ? GRID : kind
  }
  for (const absence of absences) {
    const [from, to] = pixelsOf(absence, { sheet, view: scene.view, least: MARK_PX * sheet.ratio })
    kinds.fill(QUARANTINED, from, to)
  }
}

/** What a span covers: at least `least`, and nothing where it is not seen. */
export function pixelsOf(
  span: View,
  { sheet, view, least }: { readonly sheet: Sheet; readonly view: View; readonly least: number },
): readonly [from: number, to: number] {
  const from = Math.round(placeOf(view, span.from) * sheet.width)
  const to = Math.max(from + least, Math.round(placeOf(view, span.to) * sheet.width))
  return to <= 0 || from >= sheet.width ? [0, 0] : [Math.max(0, from), Math.min(sheet.width, to)]
}

/** What paints one row of the picture. */
function createPen(sheet: Sheet, scene: Scene, row: Row) {
  const { pixels, width, height, ratio } = sheet
  const { palette, patterns, layout, view } = scene
  const bands = bandsOf(layout, row.height)
  const top = Math.round(row.y * ratio)
  const rowsOf = ([from, to]: Span): Span => [top + Math.round(from * ratio), Math.min(height, top + Math.round(to * ratio))]
  /** So that stripes move with what they are on. */
  const shift = ((Math.round((-view.from / lengthOf(view)) * width) % TILE) + TILE) % TILE

  /** Rows without a pattern are alike: the first of each half is copied. */
  function bar(kinds: Uint8Array): void {
    const [from, to] = rowsOf(bands.bar)
    const middle = from + Math.floor((to - from) / 2)
    const isPlain = !kinds.some((kind) => kind === PULLING || kind === QUARANTINED || kind === UNKNOWN)
    for (let y = from; y < to; y += 1) {
      const start = y * width
      if (isPlain && y !== from && y !== middle) {
        pixels.copyWithin(start, start - width, start)
        continue
      }
      const tiles = y < middle ? patterns.upper : patterns.lower
      const inTile = ((y - top) % TILE) * TILE
      for (let x = 0; x < width; x += 1) {
        pixels[start + x] = tiles[(kinds[x] ?? 0) * TILE * TILE + inTile + ((x - shift + TILE) % TILE)] ?? 0
      }
    }
  }

  function fill(x: Span, y: Span, pixel: number): void {
    const [from, to] = [Math.max(0, x[0]), Math.min(width, x[1])]
    for (let line = y[0]; line < y[1] && line < height; line += 1) pixels.fill(pixel, line * width + from, line * width + to)
  }

  function failures({ lane }: LanePicture): void {
    const [from, end] = rowsOf([0, bands.bar[1]])
    const depth = Math.max(5 * ratio, Math.round((end - from) / 2))
    for (const x of failuresIn(sheet, scene, lane.failed)) {
      for (let line = 0; line < depth; line += 1) {
        const reach = Math.round(NOTCH_PX * ratio * (1 - line / depth))
        fill([x - reach - 1, x + reach + 2], [from + line, from + line + 1], palette.surface)
        fill([x - reach, x + reach + 1], [from + line, from + line + 1], palette.trouble)
      }
    }
  }

  const jobs = (lane: LanePicture): void => {
    if (bands.jobs !== undefined) paintJobs(lane, { sheet, scene, rows: rowsOf(bands.jobs), fill })
  }
  return { bands, bar, jobs, failures }
}

type Span = readonly [from: number, to: number]

/** Half the width of a failure's notch, which reaches from the top of the lane down into its bar. */
const NOTCH_PX = 3

function failuresIn({ width }: Sheet, { picture, view }: Scene, columns: readonly number[]): readonly number[] {
  const places = columns.map((column) => Math.floor(placeOf(view, picture.from + (column + 0.5) * picture.columnMs) * width))
  return places.filter((x) => x > -NOTCH_PX && x < width + NOTCH_PX)
}

interface JobBrush {
  readonly sheet: Sheet
  readonly scene: Scene
  readonly rows: Span
  readonly fill: (x: Span, y: Span, pixel: number) => void
}

/** Hues of the endpoints in a row of their own, so that they do not drown the phases. A failed job is hatched. */
function paintJobs({ lane }: LanePicture, { sheet, scene: { view, palette, picture }, rows, fill }: JobBrush): void {
  for (const job of lane.jobs ?? []) {
    const [from, to] = pixelsOf(job, { sheet, view, least: 1 })
    if (from === to) continue
    // A gap between neighbours, where there is room for one.
    const end = to - from > 3 ? to - 1 : to
    if (job.status !== 'FAILED') {
      const sign = picture.hueOf(job.endpointId)
      fill([from, end], rows, palette.hues[sign % HUES] ?? palette.text)
      if (sign >= HUES) fill([from, end], stripeOf(rows), palette.surface)
      continue
    }
    fill([from, end], rows, palette.trouble)
    for (let x = from + 2; x < end; x += 3) fill([x, x + 1], rows, palette.surface)
  }
}

/** The middle third, by which endpoints of one hue differ. */
export function stripeOf([from, to]: Span): Span {
  const third = Math.max(1, Math.round((to - from) / 3))
  return [from + third, to - third]
}
