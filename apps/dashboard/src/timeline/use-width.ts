import { useCallback, useRef, useState } from 'react'

/** The width of an element in pixels of the page, 0 until it is known. */
export function useWidth(): readonly [ref: (element: HTMLElement | null) => void, width: number] {
  const [width, setWidth] = useState(0)
  const observer = useRef<ResizeObserver>(undefined)
  const ref = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect()
    if (element === null) return
    observer.current = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.current.observe(element)
    setWidth(element.clientWidth)
  }, [])
  return [ref, width]
}
