import { describe, expect, it } from 'vitest'
import { formatAge, formatDuration } from './durations.ts'

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

describe('formatAge', () => {
  it.each([
    [-1500, 'in 1.5 s'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [172_799_999, '47 h ago'],
    [172_800_000, '2 d ago'],
  ])('%s ms → %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text)
  })
})
