// What the colours and shapes mean, each painted as in the lanes.
import { useEffect, useRef } from 'react'
import { PHASE_WORDS, PHASES } from './picture.ts'
import { TILE, type Patterns } from './patterns.ts'
import { useLook } from './use-palette.ts'
import styles from './timeline.module.css'

const [WIDTH, HEIGHT] = [22, 12]

export function Legend() {
  const look = useLook()
  return (
    <ul className={styles.legend} aria-label="Legend">
      {PHASES.map((phase, kind) => (
        <li key={phase}>
          {look && <Swatch patterns={look.patterns} kind={kind} />}
          {PHASE_WORDS[phase]}
        </li>
      ))}
      <li>▼ in red: a job failed</li>
      <li>area: load · line: memory · dots: power</li>
    </ul>
  )
}

function Swatch({ patterns, kind }: { readonly patterns: Patterns; readonly kind: number }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = ref.current?.getContext('2d')
    if (context == null) return
    const image = context.createImageData(WIDTH, HEIGHT)
    const pixels = new Uint32Array(image.data.buffer)
    for (let at = 0; at < pixels.length; at += 1) {
      const [x, y] = [at % WIDTH, Math.floor(at / WIDTH)]
      pixels[at] = (y < HEIGHT / 2 ? patterns.upper : patterns.lower)[kind * TILE * TILE + (y % TILE) * TILE + (x % TILE)] ?? 0
    }
    context.putImageData(image, 0, 0)
  }, [patterns, kind])
  return <canvas ref={ref} width={WIDTH} height={HEIGHT} aria-hidden />
}
