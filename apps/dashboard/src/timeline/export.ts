// The picture to take along: as PNG, and as CSV with one row per stretch of a phase.
import { segmentsOf, shortType } from './describe.ts'
import type { Layout } from './layout.ts'
import type { Picture } from './picture.ts'

const COLUMNS = ['host', 'gpu', 'uuid', 'type', 'phase', 'from', 'to', 'seconds', 'endpoint', 'worker', 'jobs', 'failed', 'cause'] as const

/** Times in RFC 3339. */
export function toCsv(picture: Picture): string {
  const rows = picture.lanes.flatMap((lane) => {
    const { host, index, uuid, name } = lane.lane
    return segmentsOf(picture, lane).map(({ phase, from, to, worker, jobs, failed, cause }) => [
      host,
      index ?? '',
      uuid,
      name,
      phase,
      new Date(from).toISOString(),
      new Date(to).toISOString(),
      ((to - from) / 1000).toFixed(3),
      worker?.endpoint.name ?? '',
      worker?.id ?? '',
      jobs ?? '',
      failed,
      cause ?? '',
    ])
  })
  return [COLUMNS, ...rows].map((row) => row.map(toField).join(',')).join('\n')
}

/** A spreadsheet must not read a name as a formula. */
function toField(value: string | number): string {
  const text = typeof value === 'string' && /^[=+@\t-]/u.test(value) ? `'${value}` : `${value}`
  return /[",\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export interface PngParts {
  readonly layout: Layout
  readonly picture: Picture
  /** Says which time it shows. */
  readonly title: string
}

const [MARGIN, LABELS, TITLE] = [12, 150, 28]

/** Strip and lanes as they are seen, with the names of their cards. Null where nothing is seen. */
export async function toPng(timeline: HTMLElement, parts: PngParts): Promise<Blob | null> {
  const [strip, lanes] = ['strip', 'lanes'].map((part) => timeline.querySelector<HTMLCanvasElement>(`canvas[data-part="${part}"]`))
  const sheet = document.createElement('canvas')
  const context = sheet.getContext('2d')
  if (context === null || strip == null || lanes == null) return null
  const ratio = lanes.width / lanes.clientWidth
  sheet.width = (lanes.clientWidth + LABELS + 2 * MARGIN) * ratio
  sheet.height = (strip.clientHeight + lanes.clientHeight + TITLE + 2 * MARGIN) * ratio
  context.scale(ratio, ratio)
  const { color, backgroundColor } = getComputedStyle(document.body)
  context.fillStyle = backgroundColor
  context.fillRect(0, 0, sheet.width, sheet.height)
  context.fillStyle = color
  const top = MARGIN + TITLE
  const left = MARGIN + LABELS
  context.drawImage(strip, left, top, strip.clientWidth, strip.clientHeight)
  context.drawImage(lanes, left, top + strip.clientHeight, lanes.clientWidth, lanes.clientHeight)
  writeNames(context, parts, top + strip.clientHeight)
  return new Promise((resolve) => {
    sheet.toBlob(resolve)
  })
}

function writeNames(context: CanvasRenderingContext2D, { layout, picture, title }: PngParts, top: number): void {
  context.textBaseline = 'middle'
  context.font = '600 14px system-ui, sans-serif'
  context.fillText(title, MARGIN, MARGIN + TITLE / 2)
  for (const { name, y } of layout.groups) context.fillText(name, MARGIN, top + y + layout.groupHeight / 2, LABELS)
  context.font = '10px system-ui, sans-serif'
  for (const { lane, y, height } of layout.rows) {
    const { index, name = '' } = picture.lanes[lane]?.lane ?? {}
    context.fillText(`${index ?? '–'}  ${shortType(name)}`, MARGIN, top + y + height / 2, LABELS - 8)
  }
}

export function download(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
