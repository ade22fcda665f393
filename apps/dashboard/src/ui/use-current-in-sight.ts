import { useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

/** Of a row of links that scrolls on a narrow screen: the link of the page that is shown is in its middle. */
export function useCurrentInSight() {
  const row = useRef<HTMLElement>(null)
  const { href } = useLocation()
  useEffect(() => {
    const current = row.current?.querySelector('[aria-current="page"]')?.getBoundingClientRect()
    const box = row.current?.getBoundingClientRect()
    // Only the row: the page itself stays where it is.
    if (current !== undefined && box !== undefined) row.current?.scrollBy(current.left - box.left - (box.width - current.width) / 2, 0)
  }, [href])
  return row
}
