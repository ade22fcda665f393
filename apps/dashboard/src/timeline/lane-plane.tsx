import { memo, useLayoutEffect, useRef } from 'react'
import { drawLanes } from './lane-canvas.ts'
import type { Scene } from './paint.ts'
import styles from './timeline.module.css'

/** The lanes as pixels. Whoever cannot see them has the rows and the table. */
export const LanePlane = memo(function LanePlane({ scene, width }: { readonly scene: Scene; readonly width: number }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    if (ref.current !== null) drawLanes(ref.current, scene, width)
  }, [scene, width])
  return <canvas ref={ref} className={styles.lanes} style={{ height: scene.layout.height }} data-part="lanes" aria-hidden />
})
