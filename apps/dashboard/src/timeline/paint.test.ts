import { expect, it } from 'vitest'
import { PALETTE, SMALL } from './testing/fixture.ts'
import { labelsOf } from './labels.ts'
import { layOut, rowAt } from './layout.ts'
import { bandsOf, paintLanes, type Scene, type Sheet } from './paint.ts'
import { createPatterns } from './patterns.ts'
import { toPicture } from './picture.ts'
import type { View } from './view.ts'

const WIDTH = 200

interface Asked {
  readonly room?: number
  readonly view?: View
  readonly ratio?: number
}

/** What is painted at a time of a lane, at a place of its height. */
function paint({ room = 500, view = { from: 0, to: 100_000 }, ratio = 1 }: Asked = {}) {
  const picture = toPicture(SMALL)
  const layout = layOut(
    picture.lanes.map(({ lane }) => lane.group),
    { room },
  )
  const sheet: Sheet = {
    pixels: new Uint32Array(WIDTH * ratio * layout.height * ratio),
    width: WIDTH * ratio,
    height: layout.height * ratio,
    ratio,
  }
  const scene: Scene = { picture, layout, view, palette: PALETTE, patterns: createPatterns(PALETTE), ticks: [2000] }
  paintLanes(sheet, scene)
  const at = (row: number, time: number, y: number): number => {
    const x = Math.floor(((time - view.from) / (view.to - view.from)) * sheet.width)
    return sheet.pixels[Math.round(((layout.rows[row]?.y ?? 0) + y) * ratio) * sheet.width + x] ?? 0
  }
  const column = (row: number, time: number) => new Set(Array.from({ length: layout.rows[row]?.height ?? 0 }, (_, y) => at(row, time, y)))
  return { at, column, layout, sheet }
}

it('gives each phase its colour at its time, in each of the three heights and on a sharper screen', () => {
  for (const asked of [{ room: 120 }, { room: 70 }, { room: 40 }, { room: 120, ratio: 2 }]) {
    const { at, layout } = paint(asked)
    const low = bandsOf(layout, layout.rows[0]?.height ?? 0).bar[1] - 1
    expect(at(0, 5000, low)).toBe(PALETTE.free)
    expect(at(0, 25_000, low)).toBe(PALETTE.starting)
    expect(at(0, 35_000, low)).toBe(PALETTE.idle)
    expect(at(0, 45_000, low)).toBe(PALETTE.busy)
  }
  expect([120, 70, 40].map((room) => paint({ room }).layout.size)).toEqual(['full', 'half', 'all'])
})

it('distinguishes idle from busy by height, and a pull by stripes', () => {
  const { at, column } = paint()
  expect([at(0, 35_000, 5), at(0, 45_000, 5)]).toEqual([PALETTE.free, PALETTE.busy])
  expect(column(0, 15_000)).toContain(PALETTE.pulling)
  expect(column(0, 15_000)).toContain(PALETTE.free)
})

it('shows a failed job and a card out of use, however short and however far', () => {
  for (const view of [
    { from: 0, to: 100_000 },
    { from: -20_000_000, to: 200_000 },
  ]) {
    for (const room of [500, 40]) {
      const { sheet, layout } = paint({ room, view })
      for (const { y, height } of layout.rows)
        expect(sheet.pixels.subarray(y * WIDTH, (y + height) * WIDTH).includes(PALETTE.trouble)).toBe(true)
    }
  }
})

it('leaves a gap where nothing is known: outside the answer, and where a reading is missing', () => {
  const { column } = paint({ view: { from: -100_000, to: 200_000 } })
  expect([...column(0, -50_000)]).toEqual([PALETTE.surface])
  expect([...column(0, 150_000)]).toEqual([PALETTE.surface])
  const near = paint()
  expect(near.column(0, 45_000)).toContain(PALETTE.load)
  expect(near.column(0, 85_000)).not.toContain(PALETTE.load)
})

it('draws jobs in a row of their own, a failed one hatched', () => {
  const { at } = paint()
  const row = 25
  expect(PALETTE.hues).toContain(at(0, 42_000, row))
  expect([PALETTE.trouble, PALETTE.surface]).toContain(at(0, 52_000, row))
  expect(at(0, 80_000, row)).toBe(PALETTE.surface)
})

it('draws lines of the axis only where a card is free', () => {
  const { at } = paint()
  expect(at(1, 2000, 8)).toBe(PALETTE.grid)
  expect(at(1, 6000, 8)).toBe(PALETTE.free)
})

it('names a bar that has room, and marks another version', () => {
  const picture = toPicture(SMALL)
  const layout = layOut(['box', 'box'], { room: 500 })
  const { labels } = labelsOf({ picture, layout, view: { from: 0, to: 100_000 } }, 800)
  expect(labels).toEqual([{ text: 'caption', x: 80, y: 24, width: 640 }])
  expect(labelsOf({ picture, layout, view: { from: 0, to: 100_000 } }, 60).labels).toEqual([])
  const [first] = SMALL.lanes
  const [one] = first?.workers ?? []
  if (first === undefined || one === undefined) throw new Error('the fixture has a worker')
  const later = { ...one, id: 'w2', version: 2, phases: [{ phase: 'idle' as const, from: 92_000, to: 99_000 }] }
  const changed = toPicture({ ...SMALL, lanes: [{ ...first, workers: [later, one] }] })
  expect(labelsOf({ picture: changed, layout: layOut(['box'], { room: 500 }), view: { from: 0, to: 100_000 } }, 100).notches).toEqual([
    { x: 92, y: 24 },
  ])
})

it('finds the lane at a height, and none on the name of a group', () => {
  const layout = layOut(['a', 'a', 'b'], { room: 190 })
  expect(layout.groups.map(({ name, rows }) => [name, rows.length])).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  expect([0, 24, 70, 112, 140].map((y) => rowAt(layout, y)?.lane)).toEqual([undefined, 0, 1, undefined, 2])
})

it('paints 64 cards in one screen', () => {
  const names = Array.from({ length: 64 }, (_, index) => `host ${Math.floor(index / 8)}`)
  expect(layOut(names, { room: 900 })).toMatchObject({ size: 'all', height: 8 * 18 + 64 * 11 })
  expect(layOut(names, { room: 300 }).rows[0]?.height).toBe(10)
})

it('full lanes of cards without readings have no room for them', () => {
  const names = Array.from({ length: 8 }, () => 'box')
  expect(layOut(names, { room: 900 }).rows[0]?.height).toBe(72)
  expect(layOut(names, { room: 900, hasReadings: false })).toMatchObject({ size: 'full', height: 24 + 8 * 34 })
})
