// Pointer and wheel on the picture: drag pans, a pinch or the wheel with ctrl zooms at the pointer, shift and drag selects, a click points at a place.
import { useEffect, useRef } from 'react'
import { panView, selectView, zoomView, type View } from './view.ts'

export interface Gestures {
  readonly view: View
  readonly now: number
  /** While it moves. */
  readonly onMove: (view: View) => void
  /** It stays like this. */
  readonly onSettle: (view: View) => void
  /** Two places, 0 to 1; undefined: no longer. */
  readonly onSelect: (places: readonly [number, number] | undefined) => void
  readonly onPoint: (place: number, y: number) => void
  /** Undefined: the pointer has left. */
  readonly onHover: (spot: Spot | undefined) => void
}

export interface Spot {
  /** 0 to 1 within the view. */
  readonly place: number
  /** In pixels from the top of the field. */
  readonly y: number
}

const CLICK_PX = 4
const WHEEL_PX = 400
const SETTLE_MS = 180

interface Drag {
  readonly pointers: Map<number, { x: number; y: number }>
  readonly start: View
  readonly origin: { readonly x: number; readonly y: number }
  readonly isSelection: boolean
  readonly spread: number
  hasMoved: boolean
}

/** `field`: the element over the picture, without labels. */
export function useGestures(field: HTMLElement | null, gestures: Gestures): void {
  const latest = useRef(gestures)
  useEffect(() => {
    latest.current = gestures
  })
  useEffect(() => (field === null ? undefined : listen(field, () => latest.current)), [field])
}

function listen(field: HTMLElement, current: () => Gestures): () => void {
  const until = new AbortController()
  const on = <K extends keyof HTMLElementEventMap>(name: K, take: (event: HTMLElementEventMap[K]) => void): void =>
    field.addEventListener(name, take, { signal: until.signal, passive: false })
  const drags = createDrags(field, current)
  on('pointerdown', drags.begin)
  on('pointermove', drags.move)
  on('pointerup', drags.end)
  on('pointercancel', drags.end)
  on('pointerleave', () => current().onHover(undefined))
  let settling: ReturnType<typeof setTimeout> | undefined
  let moved: View | undefined
  on('wheel', (event) => {
    const view = moved ?? current().view
    const next = wheel(event, { view, now: current().now, box: field.getBoundingClientRect() })
    if (next === undefined) return
    event.preventDefault()
    moved = next
    current().onMove(next)
    clearTimeout(settling)
    settling = setTimeout(() => {
      moved = undefined
      current().onSettle(next)
    }, SETTLE_MS)
  })
  return () => {
    clearTimeout(settling)
    until.abort()
  }
}

/** Undefined: the page scrolls. */
function wheel(
  event: WheelEvent,
  { view, now, box }: { readonly view: View; readonly now: number; readonly box: DOMRect },
): View | undefined {
  const { ctrlKey, metaKey, shiftKey, deltaX, deltaY, clientX } = event
  if (ctrlKey || metaKey) return zoomView(view, { factor: Math.exp(deltaY / WHEEL_PX), place: (clientX - box.left) / box.width }, now)
  const across = shiftKey && deltaX === 0 ? deltaY : deltaX
  return Math.abs(across) > Math.abs(shiftKey ? 0 : deltaY) ? panView(view, across / box.width, now) : undefined
}

function createDrags(field: HTMLElement, current: () => Gestures) {
  let drag: Drag | undefined
  const placeOf = (x: number): number => {
    const box = field.getBoundingClientRect()
    return (x - box.left) / box.width
  }

  function begin(event: PointerEvent): void {
    if (event.button !== 0) return
    const pointers = new Map(drag?.pointers).set(event.pointerId, { x: event.clientX, y: event.clientY })
    const [isSelection, start] = [event.shiftKey, current().view]
    drag = { pointers, start, isSelection, origin: centerOf(pointers), spread: spreadOf(pointers), hasMoved: pointers.size > 1 }
  }

  function move(event: PointerEvent): void {
    if (drag?.pointers.has(event.pointerId) !== true) {
      const { top } = field.getBoundingClientRect()
      return current().onHover({ place: placeOf(event.clientX), y: event.clientY - top })
    }
    drag.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    const center = centerOf(drag.pointers)
    if (!drag.hasMoved && Math.hypot(center.x - drag.origin.x, center.y - drag.origin.y) < CLICK_PX) return
    if (!drag.hasMoved) field.setPointerCapture(event.pointerId)
    drag.hasMoved = true
    current().onHover(undefined)
    if (drag.isSelection) return current().onSelect([placeOf(drag.origin.x), placeOf(center.x)])
    current().onMove(draggedView(drag, center))
  }

  function draggedView({ start, origin, spread, pointers }: Drag, center: { readonly x: number }): View {
    const { width } = field.getBoundingClientRect()
    const { now } = current()
    const panned = panView(start, (origin.x - center.x) / width, now)
    return pointers.size < 2
      ? panned
      : zoomView(panned, { factor: spread / Math.max(1, spreadOf(pointers)), place: placeOf(center.x) }, now)
  }

  function end(event: PointerEvent): void {
    if (drag?.pointers.has(event.pointerId) !== true) return
    const ended = drag
    const center = centerOf(ended.pointers)
    drag = undefined
    const { onSelect, onSettle, onPoint } = current()
    if (!ended.hasMoved && event.type === 'pointerup') onPoint(placeOf(event.clientX), event.clientY - field.getBoundingClientRect().top)
    if (!ended.hasMoved) return
    if (!ended.isSelection) return onSettle(draggedView(ended, center))
    onSelect(undefined)
    const selected = selectView(ended.start, placeOf(ended.origin.x), placeOf(center.x))
    if (selected !== undefined) onSettle(selected)
  }

  return { begin, move, end }
}

type Pointers = ReadonlyMap<number, { readonly x: number; readonly y: number }>

function centerOf(pointers: Pointers): { readonly x: number; readonly y: number } {
  const all = [...pointers.values()]
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return { x: mean(all.map(({ x }) => x)), y: mean(all.map(({ y }) => y)) }
}

function spreadOf(pointers: Pointers): number {
  const [one, other] = [...pointers.values()]
  return one === undefined || other === undefined ? 1 : Math.max(1, Math.abs(one.x - other.x))
}
