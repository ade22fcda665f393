// The picture of the cards: strip and lanes on two canvases, over them rows that keys and screen readers use, and a field that takes the pointer. The view is
// the page's; while it moves under a hand, it is kept here, so that nothing else is drawn anew.
import { useCallback, useEffect, useMemo, useState, type KeyboardEvent } from 'react'
import type { TimelineView } from '@runyard/schema/api'
import { useZone } from '../app/preferences.ts'
import { formatClock, zoneName } from '../ui/format.ts'
import { ticksOf } from './axis.ts'
import { commandOf, isOfPage, moveFocus, type Focus, type PageCommand } from './commands.ts'
import { describeSegment, segmentAt } from './describe.ts'
import { LaneRows } from './lane-rows.tsx'
import { layOutLanes, rowAt, type Layout } from './layout.ts'
import { LanePlane } from './lane-plane.tsx'
import { toPicture, type LanePicture, type Picture } from './picture.ts'
import { describeStrip, STRIP_PX, type Decision, type Steps } from './strip.ts'
import { StripPlane } from './strip-plane.tsx'
import { LaneTip, TipBox } from './tip.tsx'
import { useGestures, type Spot } from './use-gestures.ts'
import { useLook } from './use-palette.ts'
import { useWidth } from './use-width.ts'
import { placeOf, timeAt, type View } from './view.ts'
import styles from './timeline.module.css'

export interface Pin {
  readonly uuid: string
  readonly at: number
}

export interface TimelineProps {
  readonly data: TimelineView
  readonly steps: Steps
  readonly decisions: readonly Decision[]
  readonly view: View
  /** Height that the lanes may have, in pixels. */
  readonly room: number
  readonly pin?: Pin | undefined
  readonly onView: (view: View) => void
  readonly onPin: (pin: Pin) => void
  /** What keys ask of the page: now, a span, another group, the table. */
  readonly onCommand: (command: PageCommand) => void
  readonly onWidth: (width: number) => void
}

const KEY_SETTLE_MS = 180

export function Timeline(props: TimelineProps) {
  const { data, room, onWidth, onPin } = props
  const [field, setField] = useState<HTMLElement | null>(null)
  const [widthRef, width] = useWidth()
  useEffect(() => onWidth(width), [width, onWidth])
  const picture = useMemo(() => toPicture(data), [data])
  const layout = useMemo(() => layOutLanes(data.lanes, room), [data, room])
  const { view, move, settle } = useMovingView(props)
  const focus = useFocus(props, { picture, layout, view, move, settle })
  const [selection, setSelection] = useState<readonly [number, number]>()
  const [spot, setSpot] = useState<Spot>()
  const laneAt = (y: number): LanePicture | undefined => picture.lanes[rowAt(layout, y - STRIP_PX)?.lane ?? -1]
  const point = (place: number, y: number): void => {
    const pointed = laneAt(y)
    if (pointed === undefined) return
    focus.choose(pointed.lane.uuid, timeAt(view, place))
    onPin({ uuid: pointed.lane.uuid, at: Math.round(timeAt(view, place)) })
  }
  useGestures(field, { view, now: data.now, onMove: move, onSettle: settle, onSelect: setSelection, onPoint: point, onHover: setSpot })
  const hovered = spot && laneAt(spot.y)
  return (
    <div className={styles.timeline} onKeyDown={focus.onKeyDown} data-has-pin={props.pin !== undefined}>
      <Planes {...{ ...props, picture, layout, view, width, widthRef, focus }} />
      <div ref={setField} className={styles.field} aria-hidden>
        {spot && <div className={styles.line} style={{ left: `${100 * spot.place}%` }} />}
        {selection && <Selection places={selection} />}
        <Cursor layout={layout} row={focus.row} place={placeOf(view, focus.at)} />
      </div>
      {spot && hovered && (
        <TipBox left={spot.place} top={Math.min(spot.y + 16, STRIP_PX + layout.height - 20)}>
          <LaneTip picture={picture} lane={hovered} at={timeAt(view, spot.place)} />
        </TipBox>
      )}
    </div>
  )
}

interface PlanesProps extends Pick<TimelineProps, 'steps' | 'decisions'> {
  readonly picture: Picture
  readonly layout: Layout
  readonly view: View
  readonly width: number
  readonly widthRef: (element: HTMLElement | null) => void
  readonly focus: Pick<ReturnType<typeof useFocus>, 'uuid' | 'at' | 'enter'>
}

/** What is seen, and what is read in its place. */
function Planes({ steps, decisions, picture, layout, view, width, widthRef, focus }: PlanesProps) {
  const zone = useZone()
  const look = useLook()
  const ticks = useMemo(() => ticksOf(view, width, zone), [view, width, zone])
  const scene = useMemo(
    () => look && { picture, layout, view, ticks: ticks.map(({ at }) => at), ...look },
    [picture, layout, view, ticks, look],
  )
  const strip = useMemo(() => look && { ...steps, view, decisions, ticks, palette: look.palette }, [steps, view, decisions, ticks, look])
  const clock = useCallback((at: number) => formatClock(at, zone), [zone])
  const label = `GPUs, ${clock(view.from)} to ${clock(view.to)} ${zone === 'utc' ? 'UTC' : zoneName(view.to)}`
  const description = describeFocus({ picture, uuid: focus.uuid, at: focus.at, clock })
  const isDrawn = width > 0
  return (
    <>
      <div className={styles.facts}>
        {describeStrip(steps, view).map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </div>
      <div ref={widthRef}>{strip && isDrawn && <StripPlane scene={strip} width={width} />}</div>
      <div className={styles.plane} style={{ height: layout.height }}>
        {scene && isDrawn && <LanePlane scene={scene} width={width} />}
        <div role="grid" aria-label={label} aria-describedby="timeline-keys">
          <LaneRows layout={layout} lanes={picture.lanes} current={focus.uuid} description={description} onFocus={focus.enter} />
        </div>
      </div>
    </>
  )
}

function Selection({ places: [one, other] }: { readonly places: readonly [number, number] }) {
  return <div className={styles.selection} style={{ left: `${100 * Math.min(one, other)}%`, width: `${100 * Math.abs(one - other)}%` }} />
}

function Cursor({ layout, row, place }: { readonly layout: Layout; readonly row: number; readonly place: number }) {
  const { y, height } = layout.rows[row] ?? { y: 0, height: 0 }
  if (height === 0 || place < 0 || place > 1) return null
  return <div className={styles.cursor} style={{ left: `${100 * place}%`, top: STRIP_PX + y, height }} />
}

interface Described {
  readonly picture: Picture
  readonly uuid: string | undefined
  readonly at: number
  readonly clock: (at: number) => string
}

function describeFocus({ picture, uuid, at, clock }: Described): string {
  const lane = picture.lanes.find(({ lane: { uuid: own } }) => own === uuid)
  return lane === undefined ? '' : describeSegment(lane.lane, segmentAt(picture, lane, at), clock)
}

/** The page's view, or where a hand has moved it since. */
function useMovingView({ view: given, onView }: Pick<TimelineProps, 'view' | 'onView'>) {
  const [moved, setMoved] = useState<View>()
  const [seen, setSeen] = useState(given)
  if (seen !== given) {
    setSeen(given)
    setMoved(undefined)
  }
  const settle = useCallback(
    (next: View) => {
      setMoved(next)
      onView(next)
    },
    [onView],
  )
  return { view: moved ?? given, move: setMoved, settle }
}

interface FocusDeps {
  readonly picture: Picture
  readonly layout: Layout
  readonly view: View
  readonly move: (view: View) => void
  readonly settle: (view: View) => void
}

/** The card and the time that the keys are at. */
function useFocus({ pin, data, view: settled, onPin, onCommand }: TimelineProps, { picture, layout, view, move, settle }: FocusDeps) {
  const [chosen, setChosen] = useState<Pin | undefined>(pin)
  const [settling, setSettling] = useState<View>()
  useEffect(() => {
    if (settling === undefined) return undefined
    const timer = setTimeout(() => settle(settling), KEY_SETTLE_MS)
    return () => clearTimeout(timer)
  }, [settling, settle])
  const rowOf = (uuid: string | undefined) =>
    Math.max(
      0,
      layout.rows.findIndex(({ lane }) => picture.lanes[lane]?.lane.uuid === uuid),
    )
  const uuidOf = (row: number) => picture.lanes[layout.rows[row]?.lane ?? -1]?.lane.uuid
  const row = rowOf(chosen?.uuid)
  // Of the view that has settled: the cells need not be drawn anew while it moves.
  const middle = Math.min(timeAt(settled, 0.5), data.now)
  const [uuid, at] = [uuidOf(row), chosen?.at ?? middle]

  function go(next: Focus): void {
    const nextUuid = uuidOf(next.row)
    if (nextUuid === undefined) return
    setChosen({ uuid: nextUuid, at: next.at })
    if (next.row !== row) document.querySelector<HTMLElement>(`#lane-${CSS.escape(nextUuid)}`)?.focus({ preventScroll: false })
    if (next.view === view) return
    move(next.view)
    setSettling(next.view)
  }

  function onKeyDown(event: KeyboardEvent): void {
    const command = isPlain(event) ? commandOf(event.key) : undefined
    if (command === undefined || uuid === undefined) return
    event.preventDefault()
    if (isOfPage(command)) onCommand(command)
    else if (command.kind === 'open') onPin({ uuid, at: Math.round(at) })
    else go(moveFocus({ view, row, at }, command, { picture, layout, now: data.now }))
  }

  const enter = useCallback(
    (entered: string) => setChosen((before) => (before?.uuid === entered ? before : { uuid: entered, at: before?.at ?? middle })),
    [middle],
  )
  return { uuid, at, row, onKeyDown, enter, choose: (id: string, time: number) => setChosen({ uuid: id, at: time }) }
}

/** Not a key of the whole page, such as the second one of `g f`. */
const isPlain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented
