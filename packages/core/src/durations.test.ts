import { describe, expect, it } from 'vitest'
import { formatAge, formatDuration, formatRun, formatWait } from './durations.ts'

describe('formatDuration', () => {
  it.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [999.7, '1.0 s'],
    [1540, '1.5 s'],
    [59_960, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [11_040_000, '3 h 4 min'],
    [453_600_000, '5 d 6 h'],
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

it('the wait of a waiting job and the run of a running one go on until now', () => {
  const job = { submittedAt: 1000, startedAt: 3000 }
  const spans = (of: Parameters<typeof formatWait>[0]) => [formatWait(of, 18_400), formatRun(of, 18_400)]
  expect(spans({ status: 'IN_QUEUE', submittedAt: 1000 })).toEqual(['17.4 s', '–'])
  expect(spans({ ...job, status: 'IN_PROGRESS', delayMs: 2000 })).toEqual(['2.0 s', '15.4 s'])
  expect(spans({ ...job, status: 'COMPLETED', delayMs: 2000, runMs: 40 })).toEqual(['2.0 s', '40 ms'])
  expect(formatWait({ status: 'IN_QUEUE', submittedAt: 1000 }, undefined)).toBe('–')
  expect(spans({ status: 'CANCELLED', submittedAt: 1000 })).toEqual(['–', '–'])
})
