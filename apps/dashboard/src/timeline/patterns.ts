// How each phase looks: its colour and its shape, since colours alone do not tell them apart for everybody. A busy bar fills its lane, an idle one only its
// lower part; a pull is striped, trouble is cross-hatched, an absent host is dashed. One tile of 8 × 8 pixels per phase and zone, so that a frame looks each
// pixel up and decides nothing.
import type { Palette, Pixel } from './palette.ts'
import { PHASES, type Phase } from './picture.ts'

export const TILE = 8
const TILE_PIXELS = TILE * TILE
/** Numbers of a column beyond those of the phases: free under a line of the axis, and nothing known. */
export const GRID = PHASES.length
export const NOTHING = PHASES.length + 1
const KINDS = PHASES.length + 2

export interface Patterns {
  /** Of the upper part of a bar, per kind of column and pixel of the tile. */
  readonly upper: Uint32Array
  readonly lower: Uint32Array
}

type Ink = (x: number, y: number) => Pixel

export function createPatterns(palette: Palette): Patterns {
  const { free, grid, surface, starting, pulling, busy, idle, draining, trouble, unknown } = palette
  const plain =
    (pixel: Pixel): Ink =>
    () =>
      pixel
  const inks: Record<Phase, Ink> = {
    free: plain(free),
    pulling: (x, y) => ((x + y) % TILE < 4 ? pulling : free),
    starting: plain(starting),
    idle: plain(idle),
    busy: plain(busy),
    draining: (x) => (x % 4 === 3 ? free : draining),
    quarantined: (x, y) => ((x + y) % 4 === 0 || (x - y + TILE) % 4 === 0 ? surface : trouble),
    unknown: (x, y) => (y % 4 === 0 && x % TILE < 5 ? unknown : free),
  }
  const below = [...PHASES.map((phase) => inks[phase]), plain(grid), plain(surface)]
  const above = below.map((ink, kind) => (PHASES[kind] === 'idle' ? plain(free) : ink))
  return { upper: toTiles(above), lower: toTiles(below) }
}

function toTiles(inks: readonly Ink[]): Uint32Array {
  const tiles = new Uint32Array(KINDS * TILE_PIXELS)
  for (const [kind, ink] of inks.entries()) {
    for (let at = 0; at < TILE_PIXELS; at += 1) tiles[kind * TILE_PIXELS + at] = ink(at % TILE, Math.floor(at / TILE))
  }
  return tiles
}
