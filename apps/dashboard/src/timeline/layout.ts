// Where each lane stands, and how high it is: one of three heights, chosen by room. A group has a line with its name above its lanes.
import type { TimelineLane } from '@runyard/schema/api'

export type LaneSize = 'full' | 'half' | 'all'

export interface Row {
  readonly y: number
  readonly height: number
  /** Place of the lane in the answer. */
  readonly lane: number
}

export interface LaneGroup {
  readonly name: string
  readonly y: number
  readonly rows: readonly Row[]
}

export interface Layout {
  readonly size: LaneSize
  readonly height: number
  /** Height of the name of a group. */
  readonly groupHeight: number
  readonly groups: readonly LaneGroup[]
  /** In the order in which they are seen. */
  readonly rows: readonly Row[]
}

const SIZES: readonly { readonly size: LaneSize; readonly height: number; readonly groupHeight: number }[] = [
  ...[72, 60, 52, 44].map((height) => ({ size: 'full' as const, height, groupHeight: 24 })),
  ...[28, 22].map((height) => ({ size: 'half' as const, height, groupHeight: 24 })),
  ...[12, 11].map((height) => ({ size: 'all' as const, height, groupHeight: 18 })),
]
/** Full ones of cards that give no readings, as simulated ones. */
const BARE = { size: 'full', height: 34, groupHeight: 24 } as const
/** Lower ones could not be distinguished. */
const LOWEST = { size: 'all', height: 10, groupHeight: 18 } as const

export function layOutLanes(lanes: readonly TimelineLane[], room: number): Layout {
  const hasReadings = lanes.some(({ load, memory, power }) => /[^-]/u.test(load + memory + power))
  return layOut(
    lanes.map(({ group }) => group),
    { room, hasReadings },
  )
}

export interface Room {
  /** Pixels for all lanes together. */
  readonly room: number
  readonly hasReadings?: boolean
}

/** `names`: the group of each lane, equal ones next to each other. */
export function layOut(names: readonly string[], { room, hasReadings = true }: Room): Layout {
  const groups = groupsOf(names)
  const sizes = hasReadings ? SIZES : [BARE, ...SIZES.filter((one) => one.size !== 'full')]
  const fits = (one: (typeof SIZES)[number]): boolean => groups.length * one.groupHeight + names.length * one.height <= room
  const { size, height, groupHeight } = sizes.find(fits) ?? LOWEST
  let y = 0
  const placed = groups.map(({ name, lanes }): LaneGroup => {
    const top = y
    y += groupHeight
    const rows = lanes.map((lane) => {
      const row = { lane, y, height }
      y += height
      return row
    })
    return { name, y: top, rows }
  })
  return { size, height: y, groupHeight, groups: placed, rows: placed.flatMap(({ rows }) => rows) }
}

function groupsOf(names: readonly string[]): readonly { readonly name: string; readonly lanes: number[] }[] {
  const groups: { name: string; lanes: number[] }[] = []
  for (const [lane, name] of names.entries()) {
    const last = groups.at(-1)
    if (last?.name === name) last.lanes.push(lane)
    else groups.push({ name, lanes: [lane] })
  }
  return groups
}

/** Undefined on the name of a group and outside. */
export function rowAt({ rows }: Layout, y: number): Row | undefined {
  return rows.find((row) => y >= row.y && y < row.y + row.height)
}
