import { expect, it } from 'vitest'
import { readWaitMs } from '../http/hold.ts'
import { readSubmission } from './policy.ts'

const ORIGIN = { sync: false, key: { id: 'k', ownerId: 'o' }, isAllowed: () => true }

it.each([
  [{ executionTimeout: 1 }, { executionTimeoutMs: 5000 }],
  [{ executionTimeout: 1e12 }, { executionTimeoutMs: 604_800_000 }],
  [{ executionTimeout: 0 }, {}],
  [{ ttl: 1 }, { ttlMs: 10_000 }],
  [{ ttl: 60_000.4 }, { ttlMs: 60_000 }],
  [{ lowPriority: true, unknown: 1 }, { lowPriority: true }],
  [null, {}],
])('a policy %j is read as %j', (policy, expected) => {
  expect(readSubmission({ input: 1, policy }, ORIGIN).policy).toEqual(expected)
})

it.each([{ policy: [1] }, { policy: { ttl: 'x' } }, { policy: { lowPriority: 'yes' } }, { webhook: 1 }, { s3Config: [] }])(
  'refuses %j with a sentence',
  (fields) => {
    expect(() => readSubmission({ input: 1, ...fields }, ORIGIN)).toThrow(/must be/)
  },
)

it('keeps the input as it is', () => {
  const input = { '': [null, { deep: '\u0000' }] }
  expect(readSubmission({ input }, ORIGIN).input).toBe(input)
})

it.each([
  ['', 90_000],
  ['abc', 90_000],
  ['1', 1000],
  ['-5', 1000],
  ['1500.4', 1500],
  ['999999', 300_000],
  ['Infinity', 300_000],
])('a wait of "%s" is read as %i ms', (wait, expected) => {
  expect(readWaitMs({ wait }, 90_000)).toBe(expected)
})
