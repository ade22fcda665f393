// Below the bar of a lane: load as an area, memory as a line, power as dots. Where nothing is known there is a gap, never a zero.
import type { Row } from './layout.ts'
import type { Scene, Sheet } from './paint.ts'
import { NOT_KNOWN, type LanePicture } from './picture.ts'
import { lengthOf } from './view.ts'

interface Place {
  readonly lane: LanePicture
  readonly row: Row
  /** From the top of the lane, in pixels of the page. */
  readonly band: readonly [from: number, to: number]
}

const DOT_PX = 4

export function paintReadings(sheet: Sheet, scene: Scene, { lane, row, band }: Place): void {
  const { width, height, ratio } = sheet
  const { palette } = scene
  const top = Math.round((row.y + band[0]) * ratio)
  const bottom = Math.min(height, Math.round((row.y + band[1]) * ratio)) - 1
  const line = Math.max(1, Math.round(ratio))
  const yOf = (value: number): number => bottom - Math.round(Math.min(1, value) * (bottom - top))
  const draw = createStroke(sheet, bottom)
  for (let x = 0; x < width; x += 1) {
    const index = readingAt(sheet, scene, x)
    const [load, memory, power] = [lane.load[index], lane.memory[index], lane.power[index]]
    if (isKnown(load)) draw(x, { from: yOf(load), length: height, pixel: palette.load })
    if (isKnown(memory)) draw(x, { from: yOf(memory), length: line, pixel: palette.text })
    if (isKnown(power) && x % DOT_PX < line) draw(x, { from: yOf(power), length: line, pixel: palette.muted })
  }
}

const isKnown = (value: number | undefined): value is number => value !== undefined && value !== NOT_KNOWN

/** Below zero where nothing is known. */
function readingAt({ width }: Sheet, { picture, view }: Scene, x: number): number {
  const at = view.from + ((x + 0.5) * lengthOf(view)) / width
  return at >= Math.min(picture.to, picture.now) ? -1 : Math.floor((at - picture.from) / picture.readingMs)
}

interface Stroke {
  readonly from: number
  readonly length: number
  readonly pixel: number
}

/** Draws downwards, and not below the band. */
function createStroke({ pixels, width }: Sheet, bottom: number): (x: number, stroke: Stroke) => void {
  return (x, { from, length, pixel }) => {
    const end = Math.min(bottom, from + length - 1)
    for (let y = from; y <= end; y += 1) pixels[y * width + x] = pixel
  }
}
