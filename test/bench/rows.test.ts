// The rules of the table. The measurements run only with `pnpm bench`, because no test asserts a time.
import { describe, expect, it } from 'vitest'
import { ROW_GROUPS, selectRows } from './rows.ts'
import { renderTable, toRow } from './table.ts'

describe('the rows of the benchmark', () => {
  it('are all measured if none is named, otherwise in their own order', () => {
    expect(selectRows([])).toBe(ROW_GROUPS)
    expect(selectRows(['run', 'runsync']).map(({ name }) => name)).toEqual(['runsync', 'run'])
    expect(new Set(ROW_GROUPS.map(({ name }) => name)).size).toBe(ROW_GROUPS.length)
  })

  it('reject an unknown name and list the existing ones', () => {
    expect(() => selectRows(['warm'])).toThrow(/there is no row "warm"; there are runsync, /)
  })

  it('judge the ratio or the figure itself, as the budget defines', () => {
    const p50 = { path: 'p50', ours: 3, beside: 1, unit: 'ms' } as const
    expect(toRow({ ...p50, budget: { of: 'ratio', most: 4 } })).toMatchObject({ ratio: '3.00×', budget: '≤ 4×', verdict: 'ok' })
    expect(toRow({ ...p50, budget: { of: 'ours', most: 2 } })).toMatchObject({ budget: '≤ 2.00 ms', verdict: 'missed' })
    expect(toRow({ ...p50, unit: 'per second', budget: { of: 'ratio', least: 4 } })).toMatchObject({ budget: '≥ 4×', verdict: 'missed' })
    expect(toRow(p50)).toMatchObject({ budget: '–', verdict: '–' })
    // A budget without a measurement does not count as met.
    expect(toRow({ ...p50, ours: Number.NaN, budget: { of: 'ratio', most: 4 } }).verdict).toBe('missed')
  })

  it('judge the median of pairs, and show between which ratios half of them lie', () => {
    const pairs = { path: 'cost', ours: 2, beside: 1, ratios: [1.2, 1, 1.01, 1.02, 0.9], unit: 'ms' } as const
    expect(toRow({ ...pairs, budget: { of: 'ratio', most: 1.03 } })).toMatchObject({ ratio: '1.010× (1.000–1.020)', verdict: 'ok' })
    expect(toRow({ ...pairs, budget: { of: 'ratio', most: 1 } })).toMatchObject({ verdict: 'missed' })
  })

  it('are printed as one table with aligned columns', () => {
    const lines = renderTable([toRow({ path: 'memory', ours: 20_480, unit: 'bytes' })]).split('\n')
    expect(new Set(lines.map((line) => line.length)).size).toBe(1)
    expect(lines.at(-1)).toContain('20.0 KiB')
  })
})
