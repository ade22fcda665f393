// Numbers over time, by uPlot. The canvas is decoration: the same numbers are a table below it, and the legend shows those under the pointer or the latest.
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useTheme, useZone } from '../app/preferences.ts'
import type { Range } from '../app/range.ts'
import { alignSeries, stackSeries, type ChartSeries } from './chart-data.ts'
import { formatClock, type Zone } from './format.ts'
import { NumberTable } from './number-table.tsx'
import styles from './chart.module.css'

const HEIGHT_PX = 170
const DAY_MS = 86_400_000

export interface ChartProps {
  readonly title: string
  /** Epoch ms of each point. */
  readonly times: readonly number[]
  /** Width of a point; times without one are drawn as a gap, or as 0 where `isCount`. */
  readonly stepMs: number
  readonly range: Range
  readonly series: readonly ChartSeries[]
  readonly format: (value: number) => string
  /** Areas on top of each other: parts of a whole. Lines else. */
  readonly isStacked?: boolean
  /** No point means that nothing happened: 0. */
  readonly isCount?: boolean
}

export function Chart({ title, times, stepMs, range, series, format, isStacked = false, isCount = false }: ChartProps) {
  const zone = useZone()
  const titleId = useId()
  const [index, setIndex] = useState<number | null>(null)
  const aligned = useMemo(
    () => alignSeries({ times, stepMs, range, series, empty: isCount ? 0 : null }),
    [times, stepMs, range, series, isCount],
  )
  const shown = index ?? latestOf(aligned.times, times, stepMs)
  return (
    <figure className={styles.chart} aria-labelledby={titleId}>
      <figcaption className={styles.head}>
        <span id={titleId} className={styles.title}>
          {title}
        </span>
        <span className={styles.at}>{formatClock(aligned.times[shown] ?? range.to, zone)}</span>
      </figcaption>
      <Canvas aligned={aligned} range={range} series={series} format={format} isStacked={isStacked} zone={zone} onIndex={setIndex} />
      <ul className={styles.legend}>
        {series.map(({ name, colour, dash }, at) => (
          <li key={name}>
            <span className={styles.swatch} data-dash={dash} style={{ borderColor: `var(${colour})` }} aria-hidden />
            {name} <b>{formatOr(aligned.values[at]?.[shown], format)}</b>
          </li>
        ))}
      </ul>
      <NumberTable caption={title} times={aligned.times} zone={zone} series={series} values={aligned.values} format={format} />
    </figure>
  )
}

/** The step of the last point that is known: the one after it has only begun. */
function latestOf(grid: readonly number[], times: readonly number[], stepMs: number): number {
  const last = times.at(-1)
  return last === undefined ? grid.length - 1 : Math.max(0, grid.indexOf(last - (last % stepMs)))
}

const formatOr = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '–' : format(value)

interface CanvasProps extends Pick<ChartProps, 'range' | 'series' | 'format'> {
  readonly aligned: ReturnType<typeof alignSeries>
  readonly isStacked: boolean
  readonly zone: Zone
  readonly onIndex: (index: number | null) => void
}

function Canvas({ aligned, range, series, format, isStacked, zone, onIndex }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const theme = useTheme()
  const isDark = useIsDark()
  const look = JSON.stringify([series.map(({ name, colour, dash }) => [name, colour, dash]), theme, isDark, zone, isStacked])
  const data = useMemo(
    (): uPlot.AlignedData =>
      [aligned.times.map((at) => at / 1000), ...(isStacked ? stackSeries(aligned.values) : aligned.values)] as uPlot.AlignedData,
    [aligned, isStacked],
  )
  useEffect(() => {
    const place = box.current
    if (place === null) return undefined
    const made = new uPlot(optionsOf({ place, series, format, isStacked, zone, onIndex, range }), undefined, place)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: HEIGHT_PX }))
    watch.observe(place)
    return () => {
      watch.disconnect()
      made.destroy()
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `look` says when it must be made anew
  }, [look])
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(data, false)
      plot.current?.setScale('x', { min: range.from / 1000, max: range.to / 1000 })
    })
  }, [data, range, look])
  return <div ref={box} className={styles.canvas} aria-hidden />
}

interface Look extends Omit<CanvasProps, 'aligned'> {
  readonly place: HTMLElement
}

function optionsOf({ place, series, format, isStacked, zone, onIndex, range }: Look): uPlot.Options {
  const axis = { stroke: resolve(place, '--text-muted'), font: '11px system-ui', ticks: { show: false } }
  const grid = { stroke: resolve(place, '--line'), width: 1 }
  const clock = (seconds: number): string => {
    const text = formatClock(seconds * 1000, zone)
    return range.to - range.from > 2 * DAY_MS ? new Date(seconds * 1000).toISOString().slice(5, 10) : text.slice(0, 5)
  }
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    // Half of the last time at the right.
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'charts' }, y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, Math.max(most * 1.1, Number.EPSILON) || 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24, values: (_plot, splits) => splits.map(clock) },
      { ...axis, grid, size: 56, space: 36, values: (_plot, splits) => labelsOf(splits, format) },
    ],
    series: [{}, ...series.map((one) => lineOf(place, one, isStacked))],
    hooks: { setCursor: [({ cursor }) => onIndex(cursor.idx ?? null)] },
  }
}

/** What reads the same is written once. */
function labelsOf(splits: readonly number[], format: (value: number) => string): string[] {
  return splits.map((value, index) => (index > 0 && format(value) === format(splits[index - 1] ?? 0) ? '' : format(value)))
}

function lineOf(place: HTMLElement, { colour, dash, isStepped = false }: ChartSeries, isStacked: boolean): uPlot.Series {
  const stroke = resolve(place, colour)
  const paths = uPlot.paths.stepped?.({ align: 1 })
  return {
    stroke,
    width: 1.5,
    spanGaps: false,
    ...(dash && { dash: [4, 3] }),
    ...((isStacked || isStepped) && paths ? { paths, ...(isStacked && { fill: stroke }) } : {}),
    // A step between two gaps has no line.
    points: isStacked || isStepped ? { show: false } : { show: true, size: 4, fill: stroke },
  }
}

/** A canvas knows no custom properties. */
function resolve(place: HTMLElement, token: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const DARK = '(prefers-color-scheme: dark)'

/** Of the system, where none is chosen. */
function useIsDark(): boolean {
  const [isDark, setDark] = useState(() => matchMedia(DARK).matches)
  useEffect(() => {
    const query = matchMedia(DARK)
    const listen = (): void => setDark(query.matches)
    query.addEventListener('change', listen)
    return () => query.removeEventListener('change', listen)
  }, [])
  return isDark
}
