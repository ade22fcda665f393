import { memo, useLayoutEffect, useRef } from 'react'
import { fitCanvas } from './lane-canvas.ts'
import { paintStrip, STRIP_PX, type StripScene } from './strip.ts'
import styles from './timeline.module.css'

/** What it shows is beside it in words, and in the table. */
export const StripPlane = memo(function StripPlane({ scene, width }: { readonly scene: StripScene; readonly width: number }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    const context = ref.current?.getContext('2d')
    if (ref.current === null || context == null) return
    const ratio = fitCanvas(ref.current, width, STRIP_PX)
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    paintStrip(context, scene, width)
  }, [scene, width])
  return <canvas ref={ref} className={styles.strip} data-part="strip" aria-hidden />
})
