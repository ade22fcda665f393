import { describe, expect, it } from 'vitest'
import { alignColumns, formatDuration } from './terminal.ts'

describe('formatDuration', () => {
  it.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [999.7, '1.0 s'],
    [1540, '1.5 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('alignColumns', () => {
  it('counts visible characters, not colour codes, and does not pad the last column', () => {
    expect(alignColumns([['\u001B[1ma\u001B[22m', 'x'], ['bbb', 'yy'], ['c']])).toEqual(['\u001B[1ma\u001B[22m    x', 'bbb  yy', 'c'])
  })
})
