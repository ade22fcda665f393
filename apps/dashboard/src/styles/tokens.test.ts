// Contrasts of the colours (WCAG 2.2), and whether people who cannot tell red from green can tell the states apart.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

type Rgb = readonly [number, number, number]
const THEMES = ['light', 'dark'] as const
const css = await readFile(join(import.meta.dirname, 'tokens.css'), 'utf8')
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/gu)].map(([, name = '', light = '', dark = '']) => [
    name,
    { light: toRgb(light), dark: toRgb(dark) },
  ]),
)

function toRgb(hex: string): Rgb {
  const at = (start: number): number => Number.parseInt(hex.slice(start, start + 2), 16) / 255
  return [at(1), at(3), at(5)]
}

const toLinear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue)
}

function contrast(one: Rgb, other: Rgb): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

function colour(name: string, theme: (typeof THEMES)[number]): Rgb {
  const found = tokens.get(name)
  if (found === undefined) throw new Error(`tokens.css has no --${name}`)
  return found[theme]
}

/** Machado, Oliveira and Fernandes 2009, deuteranopia, on linear light. */
const DEUTERANOPIA = [
  [0.367322, 0.860646, -0.227968],
  [0.280085, 0.672501, 0.047413],
  [-0.01182, 0.04294, 0.968881],
] as const

function asDeuteranope(rgb: Rgb): Rgb {
  const linear = rgb.map(toLinear)
  const [red = 0, green = 0, blue = 0] = DEUTERANOPIA.map((row) =>
    Math.max(
      0,
      row.reduce((sum, factor, at) => sum + factor * (linear[at] ?? 0), 0),
    ),
  )
  return linearToOklab([red, green, blue])
}

function toOklab([red, green, blue]: Rgb): Rgb {
  return linearToOklab([toLinear(red), toLinear(green), toLinear(blue)])
}

/** Where distances are those of the eye. */
function linearToOklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ]
}

const distance = (one: Rgb, other: Rgb): number => Math.hypot(...one.map((value, at) => value - (other[at] ?? 0)))

const SURFACES = ['surface', 'surface-raised', 'surface-sunken']
const TEXTS = ['text', 'text-muted', 'link', 'accent', 'state-trouble']
const STATES = ['busy', 'idle', 'starting', 'pulling', 'draining', 'trouble', 'unknown', 'free'].map((state) => `state-${state}`)
const MARKS = [...STATES.filter((state) => state !== 'state-free'), 'line-strong', 'focus']
const HUES = Array.from({ length: 9 }, (_, at) => `hue-${at + 1}`)
/** Two colours beside each other can be distinguished from about 0.02 on. */
const LEAST_DISTANCE = 0.06

describe.each(THEMES)('%s', (theme) => {
  const weak = (names: readonly string[], least: number): readonly string[] =>
    names.flatMap((name) =>
      SURFACES.flatMap((surface) => {
        const found = contrast(colour(name, theme), colour(surface, theme))
        return found < least ? [`${name} on ${surface}: ${found.toFixed(2)}`] : []
      }),
    )

  it('text has at least 4.5:1 on every surface', () => {
    expect(weak(TEXTS, 4.5)).toEqual([])
    expect(contrast(colour('on-accent', theme), colour('accent', theme))).toBeGreaterThanOrEqual(4.5)
  })

  it('marks have at least 3:1 on every surface', () => {
    expect(weak([...MARKS, ...HUES], 3)).toEqual([])
  })

  const close = (names: readonly string[], see: (rgb: Rgb) => Rgb): readonly string[] =>
    names.flatMap((one, at) =>
      names.slice(at + 1).flatMap((other) => {
        const found = distance(see(colour(one, theme)), see(colour(other, theme)))
        return found < LEAST_DISTANCE ? [`${one} and ${other}: ${found.toFixed(3)}`] : []
      }),
    )

  it('readers who cannot distinguish red from green distinguish the eight states', () => {
    expect(close(STATES, asDeuteranope)).toEqual([])
  })

  it('everybody distinguishes the hues of endpoints, also from a busy card, a cold start and trouble', () => {
    const names = [...HUES, 'state-busy', 'state-trouble', 'state-starting', 'state-pulling']
    expect([...close(names, toOklab), ...close(names, asDeuteranope)]).toEqual([])
  })
})
