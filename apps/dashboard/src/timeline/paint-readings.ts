// Below the bar of a lane: load as an area, memory as a line, power as dots. Where nothing is known there is a gap, never a zero.
import type { Row } from './layout.ts'
import type { Scene, Sheet } from './paint.ts'
import type { LanePicture } from './picture.ts'
import { lengthOf } from './view.ts'

interface Place {
  readonly lane: LanePicture
  readonly row: Row
  /** From the top of the lane, in pixels of the page. */
  readonly band: readonly [from: number, to: number]
}

const DOT_PX = 4

export function paintReadings(sheet: Sheet, { picture, view, palette }: Scene, { lane, row, band }: Place): void {
  const { pixels, width, height, ratio } = sheet
  const top = Math.round((row.y + band[0]) * ratio)
  const bottom = Math.min(height, Math.round((row.y + band[1]) * ratio)) - 1
  const room = bottom - top
  const msPerPixel = lengthOf(view) / width
  const line = Math.max(1, Math.round(ratio))
  const known = Math.min(picture.to, picture.now)
  const yOf = (value: number): number => bottom - Math.round(Math.min(1, value) * room)
  for (let x = 0; x < width; x += 1) {
    const at = view.from + (x + 0.5) * msPerPixel
    if (at < picture.from || at >= known) continue
    const index = Math.floor((at - picture.from) / picture.readingMs)
    const load = lane.load[index] ?? -1
    const memory = lane.memory[index] ?? -1
    const power = lane.power[index] ?? -1
    if (load >= 0) for (let y = yOf(load); y <= bottom; y += 1) pixels[y * width + x] = palette.load
    if (memory >= 0) for (let y = yOf(memory), n = 0; n < line; n += 1) pixels[Math.min(bottom, y + n) * width + x] = palette.text
    if (power >= 0 && x % DOT_PX < line)
      for (let y = yOf(power), n = 0; n < line; n += 1) pixels[Math.min(bottom, y + n) * width + x] = palette.muted
  }
}
