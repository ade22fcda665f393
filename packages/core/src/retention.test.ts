import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutToFit } from './retention.ts'

const kept = (...bytes: readonly number[]) => bytes.map((keptBytes, at) => ({ endpointId: `ep-${at}`, keptBytes }))

test.each([
  ['all fit', [3, 4], 7, {}],
  ['one endpoint is too large', [3, 9], 10, { 'ep-1': 7 }],
  ['two endpoints are too large', [3, 9, 4], 10, { 'ep-1': 3, 'ep-2': 3 }],
  ['the limit is 0', [1, 0], 0, { 'ep-0': 0 }],
  ['there are no endpoints', [], 0, {}],
] as const)('results are cut to fit: %s', (_, bytes, limit, expected) => {
  expect(Object.fromEntries(cutToFit(kept(...bytes), limit))).toEqual(expected)
})

test('afterwards all results fit, and every endpoint above the common level has exactly that level', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { maxLength: 20 }), fc.nat(3_000_000), (bytes, limit) => {
      const before = kept(...bytes)
      const cuts = cutToFit(before, limit)
      const after = before.map(({ endpointId, keptBytes }) => cuts.get(endpointId) ?? keptBytes)
      expect(after.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(limit)
      const level = cuts.size === 0 ? Infinity : Math.max(...cuts.values())
      expect(after).toEqual(bytes.map((keptBytes) => Math.min(keptBytes, level)))
    }),
  )
})
