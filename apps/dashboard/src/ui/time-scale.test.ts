import { expect, it } from 'vitest'
import { isDrowned, toScale, type ScaledStep } from './time-scale.ts'

const STEPS: readonly ScaledStep[] = [
  { from: 1000, to: 9000, isWait: true },
  { from: 9000, to: 9500, isWait: false },
  { from: 9500, isWait: false },
]

it('draws all on one scale unless the wait has its own', () => {
  const { percentOf, breakAt, from, to } = toScale(STEPS, 11_000, false)
  expect({ breakAt, from, to }).toEqual({ breakAt: undefined, from: 1000, to: 11_000 })
  expect([1000, 9000, 11_000].map(percentOf)).toEqual([0, 80, 100])
})

it('gives the wait a fifth of the width', () => {
  const { percentOf, breakAt } = toScale(STEPS, 11_000, true)
  expect(breakAt).toBe(9000)
  expect([1000, 5000, 9000, 10_000, 11_000].map(percentOf)).toEqual([0, 10, 20, 60, 100])
})

it('has one scale where a job only waits, or never waited', () => {
  expect(toScale(STEPS.slice(0, 1), 11_000, true).breakAt).toBeUndefined()
  expect(toScale(STEPS.slice(1), 11_000, true).breakAt).toBeUndefined()
})

it('says when the wait drowns the rest', () => {
  expect(isDrowned(STEPS, 11_000)).toBe(true)
  expect(isDrowned(STEPS, 111_000)).toBe(false)
  expect(isDrowned(STEPS.slice(0, 1), 11_000)).toBe(false)
})

it('keeps what is outside at its edges, and a moment without length drawable', () => {
  const { percentOf } = toScale([{ from: 5, to: 5, isWait: false }], 5, false)
  expect([0, 5, 6, 9].map(percentOf)).toEqual([0, 0, 100, 100])
})
