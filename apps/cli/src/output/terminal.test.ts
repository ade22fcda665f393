import { describe, expect, it } from 'vitest'
import { alignColumns } from './terminal.ts'

describe('alignColumns', () => {
  it('counts visible characters, not colour codes, and does not pad the last column', () => {
    expect(alignColumns([['\u001B[1ma\u001B[22m', 'x'], ['bbb', 'yy'], ['c']])).toEqual(['\u001B[1ma\u001B[22m    x', 'bbb  yy', 'c'])
  })
})
