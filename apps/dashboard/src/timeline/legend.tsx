// What the colours and shapes mean, each painted as in the lanes; and which hue the jobs of which endpoint have.
import { useCallback, useEffect, useRef } from 'react'
import { PHASE_WORDS, PHASES, type Picture } from './picture.ts'
import { stripeOf } from './paint.ts'
import { HUES } from './hues.ts'
import type { Palette, Pixel } from './palette.ts'
import { TILE, type Patterns } from './patterns.ts'
import { useLook } from './use-palette.ts'
import styles from './timeline.module.css'

const [WIDTH, HEIGHT] = [22, 12]

type Shade = (x: number, y: number) => Pixel

export function Legend({ picture: { endpoints, hueOf } }: { readonly picture: Pick<Picture, 'endpoints' | 'hueOf'> }) {
  const look = useLook()
  return (
    <ul className={styles.legend} aria-label="Legend">
      {PHASES.map((phase, kind) => (
        <li key={phase}>
          {look && <PhaseSwatch patterns={look.patterns} kind={kind} />}
          {PHASE_WORDS[phase]}
        </li>
      ))}
      <li>▼ in red: a job failed</li>
      <li>area: load · line: memory · dots: power</li>
      {endpoints.map(({ id, name }) => (
        <li key={id}>
          {look && <JobSwatch palette={look.palette} sign={hueOf(id)} />}
          jobs of {name}
        </li>
      ))}
    </ul>
  )
}

function PhaseSwatch({ patterns, kind }: { readonly patterns: Patterns; readonly kind: number }) {
  const shade = useCallback(
    (x: number, y: number) => {
      const tiles = y < HEIGHT / 2 ? patterns.upper : patterns.lower
      return tiles[kind * TILE * TILE + (y % TILE) * TILE + (x % TILE)] ?? 0
    },
    [patterns, kind],
  )
  return <Swatch shade={shade} />
}

function JobSwatch({ palette, sign }: { readonly palette: Palette; readonly sign: number }) {
  const shade = useCallback(
    (_: number, y: number) => {
      const [from, to] = stripeOf([0, HEIGHT])
      const isStripe = sign >= HUES && y >= from && y < to
      return isStripe ? palette.surface : (palette.hues[sign % HUES] ?? palette.text)
    },
    [palette, sign],
  )
  return <Swatch shade={shade} />
}

function Swatch({ shade }: { readonly shade: Shade }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = ref.current?.getContext('2d')
    if (context == null) return
    const image = context.createImageData(WIDTH, HEIGHT)
    const pixels = new Uint32Array(image.data.buffer)
    for (let at = 0; at < pixels.length; at += 1) pixels[at] = shade(at % WIDTH, Math.floor(at / WIDTH))
    context.putImageData(image, 0, 0)
  }, [shade])
  return <canvas ref={ref} width={WIDTH} height={HEIGHT} aria-hidden />
}
