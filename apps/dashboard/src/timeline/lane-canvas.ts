// Puts the lanes on a canvas: pixels first, then the names on them.
import { labelsOf } from './labels.ts'
import { bandsOf, paintLanes, type Scene } from './paint.ts'
import { toCss } from './palette.ts'

const FONT_PX = 11
const PADDING = 5

interface Kept {
  readonly image: ImageData
  readonly pixels: Uint32Array
}

/** Pixels are kept between frames, since a sheet has a few megabytes. */
const kept = new WeakMap<HTMLCanvasElement, Kept>()

function sheetOf(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D): Kept {
  const old = kept.get(canvas)
  if (old?.image.width === canvas.width && old.image.height === canvas.height) return old
  const image = context.createImageData(canvas.width, canvas.height)
  const made = { image, pixels: new Uint32Array(image.data.buffer) }
  kept.set(canvas, made)
  return made
}

export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): number {
  const ratio = Math.min(2, Math.max(1, Math.round(devicePixelRatio)))
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))]
  if (canvas.width !== wide) canvas.width = wide
  if (canvas.height !== high) canvas.height = high
  return ratio
}

/** `width`: in pixels of the page. */
export function drawLanes(canvas: HTMLCanvasElement, scene: Scene, width: number): void {
  const ratio = fitCanvas(canvas, width, scene.layout.height)
  const context = canvas.getContext('2d')
  if (context === null) return
  const { image, pixels } = sheetOf(canvas, context)
  paintLanes({ pixels, width: canvas.width, height: canvas.height, ratio }, scene)
  context.putImageData(image, 0, 0)
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  drawLabels(context, scene, width)
  context.setTransform(1, 0, 0, 1, 0, 0)
}

function drawLabels(context: CanvasRenderingContext2D, scene: Scene, width: number): void {
  const { palette, layout } = scene
  const { labels, notches } = labelsOf(scene, width)
  const [top, bottom] = bandsOf(layout, layout.rows[0]?.height ?? 0).bar
  context.font = `600 ${layout.size === 'full' ? FONT_PX : FONT_PX - 2}px system-ui, sans-serif`
  context.textBaseline = 'middle'
  for (const { text, x, y, width: room } of labels) {
    const shown = fitText(context, text, room - 4 * PADDING)
    if (shown === '') continue
    const wide = context.measureText(shown).width + 2 * PADDING
    // On its own ground, because what is below changes from pixel to pixel.
    context.fillStyle = toCss(palette.surface, 0.86)
    context.fillRect(x + PADDING, y + top + 1, wide, bottom - top - 2)
    context.fillStyle = toCss(palette.text)
    context.fillText(shown, x + 2 * PADDING, y + (top + bottom) / 2 + 0.5)
  }
  context.fillStyle = toCss(palette.text)
  for (const { x, y } of notches) {
    context.beginPath()
    context.moveTo(x, y + bottom)
    context.lineTo(x + 6, y + bottom)
    context.lineTo(x, y + bottom - 6)
    context.fill()
  }
}

function fitText(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text
  const fits = Math.floor((room / context.measureText(text).width) * text.length) - 1
  return fits < 2 ? '' : `${text.slice(0, fits)}…`
}
