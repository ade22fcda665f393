import { expect, it } from 'vitest'
import { describeGone } from './find-job.ts'

const at = (text: string): number => Date.parse(text)

it.each([
  ['expired', 30 * 60_000, 'was FAILED; its result expired at 2026-01-02T03:34:05.000Z, 30 minutes after it ended'],
  ['expired', 60_000, 'was FAILED; its result expired at 2026-01-02T03:05:05.000Z, 1 minute after it ended'],
  [
    'room',
    12_000,
    'was FAILED; its result made room for newer ones at 2026-01-02T03:04:17.000Z, 12 seconds after it ended (retention.endpointBytes)',
  ],
  ['ttl', 0, 'was deleted by its ttl at 2026-01-02T03:04:05.000Z while it was FAILED'],
] as const)('a job that is gone (%s, %i ms later) is reported in one sentence', (why, afterMs, sentence) => {
  const endedAt = at('2026-01-02T03:04:05Z')
  expect(describeGone({ status: 'FAILED', endedAt, goneAt: endedAt + afterMs, why })).toBe(sentence)
})
