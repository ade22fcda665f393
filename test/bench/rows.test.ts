// The table's own rules; the measurements themselves run by `pnpm bench` only, since no test asserts a time.
import { describe, expect, it } from 'vitest'
import { ROW_GROUPS, selectRows } from './rows.ts'
import { renderTable, toRow } from './table.ts'

describe('the rows of the benchmark', () => {
  it('are all measured where none is named, in their own order else', () => {
    expect(selectRows([])).toBe(ROW_GROUPS)
    expect(selectRows(['run', 'runsync']).map(({ name }) => name)).toEqual(['runsync', 'run'])
    expect(new Set(ROW_GROUPS.map(({ name }) => name)).size).toBe(ROW_GROUPS.length)
  })

  it('refuse a name that there is not, and say which there are', () => {
    expect(() => selectRows(['warm'])).toThrow(/there is no row "warm"; there are runsync, /)
  })

  it('judge the ratio or the figure itself, whichever the budget names', () => {
    const p50 = { path: 'p50', ours: 3, beside: 1, unit: 'ms' } as const
    expect(toRow({ ...p50, budget: { of: 'ratio', most: 4 } })).toMatchObject({ ratio: '3.00×', budget: '≤ 4×', verdict: 'ok' })
    expect(toRow({ ...p50, budget: { of: 'ours', most: 2 } })).toMatchObject({ budget: '≤ 2.00 ms', verdict: 'missed' })
    expect(toRow({ ...p50, unit: 'per second', budget: { of: 'ratio', least: 4 } })).toMatchObject({ budget: '≥ 4×', verdict: 'missed' })
    expect(toRow(p50)).toMatchObject({ budget: '–', verdict: '–' })
    // Nothing measured is no budget kept.
    expect(toRow({ ...p50, ours: Number.NaN, budget: { of: 'ratio', most: 4 } }).verdict).toBe('missed')
  })

  it('are printed as one table of even columns', () => {
    const lines = renderTable([toRow({ path: 'memory', ours: 20_480, unit: 'bytes' })]).split('\n')
    expect(new Set(lines.map((line) => line.length)).size).toBe(1)
    expect(lines.at(-1)).toContain('20.0 KiB')
  })
})
