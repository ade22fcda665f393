import { METRICS } from '@runyard/core'
import { describe, expect, test } from 'vitest'
import { createPace } from '../pace.ts'
import { recordingGroups } from '../recordings.ts'
import { buildBoard } from './build-board.ts'
import { BOARDS } from './index.ts'
import { queriesOf } from './panel.ts'

const RECORDED = recordingGroups(createPace()).flatMap(({ rules }) => rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])))
const KNOWN = new Set([...Object.keys(METRICS), ...RECORDED])

/** `runyard_a_bucket` is of `runyard_a`. */
const metricsIn = (expr: string): readonly string[] =>
  (expr.match(/runyard[_:][a-z0-9_:]+/g) ?? []).map((name) => (KNOWN.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')))

/** What no board shows, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  runyard_host_cpus: 'a constant of the machine; runyard hosts list shows it',
  runyard_host_memory_bytes: 'a constant of the machine; runyard hosts list shows it',
  runyard_host_disk_low: 'the alert RunyardDiskLow; the panel Disk shows the bytes',
}

test('each metric is on a board, by itself or by a recorded one, or is named with the reason why not', () => {
  const asked = new Set(Object.values(BOARDS).flatMap((board) => queriesOf(board, {}).flatMap(([, expr]) => metricsIn(expr))))
  const recorded = recordingGroups(createPace()).flatMap(({ rules }) => rules.filter((rule) => 'record' in rule && asked.has(rule.record)))
  const shown = new Set([...asked, ...recorded.flatMap(({ expr }) => metricsIn(expr))])
  expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual(Object.keys(NOT_SHOWN))
})

test('each board has its own uid', () => {
  const boards = Object.values(BOARDS)
  expect(new Set(boards.map(({ uid }) => uid)).size).toBe(boards.length)
})

describe.each(Object.entries(BOARDS))('the board %s', (_name, board) => {
  const { panels = [] } = buildBoard(board)

  test('has ids that are unique, and panels that do not overlap', () => {
    const ids = panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const cells = panels.flatMap(({ gridPos }) =>
      Array.from({ length: (gridPos?.w ?? 0) * (gridPos?.h ?? 0) }, (_, at) => {
        const width = gridPos?.w ?? 1
        return `${(gridPos?.x ?? 0) + (at % width)} ${(gridPos?.y ?? 0) + Math.floor(at / width)}`
      }),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  test('says of each panel what it is, in which unit, and names its lines', () => {
    for (const { title, about, unit, queries } of board.rows.flatMap(([, own]) => own)) {
      expect([title, about]).toEqual([expect.stringMatching(/^[A-Z]/), expect.stringMatching(/\.$/)])
      expect([title, unit]).toEqual([title, expect.stringMatching(/^(short|s|reqps|percentunit|bytes|Bps|celsius|watt)$/)])
      expect(queries.every(([expr, legend]) => expr !== '' && legend !== '')).toBe(true)
    }
  })

  test('asks for metrics of the table and for recorded ones only', () => {
    const unknown = queriesOf(board, {}).flatMap(([title, expr]) =>
      metricsIn(expr).flatMap((name) => (KNOWN.has(name) ? [] : [`${title}: ${name}`])),
    )
    expect(unknown).toEqual([])
  })
})
