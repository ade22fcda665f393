import { expect, it } from 'vitest'
import { createContinuity } from './continuity.ts'

it('lasts from the first observation until one fails or none is made for too long', () => {
  const seen = createContinuity(10)
  expect(seen.since(100)).toBeUndefined()
  for (const at of [100, 108, 118]) seen.note(at)
  expect([seen.since(118), seen.since(128), seen.since(129)]).toEqual([100, 100, undefined])
  seen.note(129)
  expect(seen.since(130)).toBe(129)
  seen.lose()
  expect(seen.since(130)).toBeUndefined()
})

it('starts again when the clock is set back', () => {
  const seen = createContinuity(10)
  for (const at of [3_600_000, 3_600_005]) seen.note(at)
  expect(seen.since(5)).toBeUndefined()
  for (const at of [6, 12]) seen.note(at)
  expect(seen.since(13)).toBe(6)
})
