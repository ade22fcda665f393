// The colours of the picture, from the tokens of the page, as whole pixels. A canvas gets numbers, so tokens are resolved for the theme that is seen.
import { HUES } from './hues.ts'

/** A pixel as a canvas keeps it: alpha, blue, green, red. */
export type Pixel = number

export interface Palette {
  readonly surface: Pixel
  readonly free: Pixel
  readonly grid: Pixel
  readonly pulling: Pixel
  readonly starting: Pixel
  readonly idle: Pixel
  readonly busy: Pixel
  readonly draining: Pixel
  readonly trouble: Pixel
  readonly unknown: Pixel
  readonly text: Pixel
  readonly muted: Pixel
  readonly load: Pixel
  readonly hues: readonly Pixel[]
}

export type Rgb = readonly [red: number, green: number, blue: number]

export const toPixel = ([red, green, blue]: Rgb): Pixel => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0

/** `share` of the first in the second. */
export function mix(one: Pixel, other: Pixel, share: number): Pixel {
  const part = (shift: number) => Math.round(((one >>> shift) & 255) * share + ((other >>> shift) & 255) * (1 - share))
  return ((255 << 24) | (part(16) << 16) | (part(8) << 8) | part(0)) >>> 0
}

/** For a 2D context. */
export const toCss = (pixel: Pixel, alpha = 1): string => `rgb(${pixel & 255} ${(pixel >>> 8) & 255} ${(pixel >>> 16) & 255} / ${alpha})`

/** `read`: the value of a token, such as `--surface`. */
export function createPalette(read: (token: string) => Rgb): Palette {
  const pixel = (token: string) => toPixel(read(token))
  const [surface, free, busy] = [pixel('--surface'), pixel('--state-free'), pixel('--state-busy')]
  return {
    surface,
    free,
    busy,
    grid: pixel('--line'),
    pulling: pixel('--state-pulling'),
    starting: pixel('--state-starting'),
    idle: mix(busy, surface, 0.45),
    draining: pixel('--state-draining'),
    trouble: pixel('--state-trouble'),
    unknown: pixel('--state-unknown'),
    text: pixel('--text'),
    muted: pixel('--text-muted'),
    load: mix(busy, surface, 0.55),
    hues: Array.from({ length: HUES }, (_, index) => pixel(`--hue-${index + 1}`)),
  }
}

/** As the element's theme has them now. */
export function readPalette(element: HTMLElement): Palette {
  const probe = document.createElement('span')
  element.append(probe)
  const read = (token: string): Rgb => {
    probe.style.color = `var(${token})`
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/gu) ?? []).map(Number)
    return [red, green, blue]
  }
  const palette = createPalette(read)
  probe.remove()
  return palette
}
