import { expect, test } from 'vitest'
import { createRequestRate } from './request-rate.ts'

test.each([
  ['nothing', [], 0, 0],
  ['a burst, averaged', [5000, 5001, 5999, 5999], 6000, 0.4],
  ['each second of the last ten', Array.from({ length: 30 }, (_, n) => n * 500), 14_999, 2],
  ['not what is older', [1000, 1000, 9000], 11_000, 0.1],
  ['nothing after a long silence', [1000, 2000], 900_000, 0],
  ['what came before the clock went back', [50_000, 49_000], 49_000, 0.2],
])('a rate of requests counts %s', (_what, times, now, perSecond) => {
  const rate = createRequestRate()
  for (const time of times) rate.note(1_700_000_000_000 + time)
  expect(rate.perSecond(1_700_000_000_000 + now)).toBeCloseTo(perSecond)
})
