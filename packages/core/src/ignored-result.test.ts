import { toJson } from '@runyard/schema'
import { expect, test } from 'vitest'
import { whyIgnored } from './ignored-result.ts'

const ended = (status: 'COMPLETED' | 'FAILED' | 'CANCELLED', more: { workerId?: string; error?: string } = {}) =>
  ({ status, settledAt: 1, workerId: 'w1', ...more }) as const

test.each([
  ['there is no such job', undefined, 'job_unknown'],
  ['it waits again', { status: 'IN_QUEUE' }, 'attempt_superseded'],
  ['another worker runs it', { status: 'IN_PROGRESS', workerId: 'w2' }, 'attempt_superseded'],
  ['another worker ended it', ended('COMPLETED', { workerId: 'w2' }), 'attempt_superseded'],
  ['this worker ended it', ended('COMPLETED'), 'result_repeated'],
  ['it failed while this worker had it', ended('FAILED', { error: 'job timed out' }), 'job_ended'],
  ['it was cancelled', ended('CANCELLED', { error: 'cancelled' }), 'job_ended'],
  ['it was purged while it waited again', { status: 'CANCELLED', settledAt: 1 }, 'job_ended'],
] as const)('a result is ignored where %s', (_, job, reason) => {
  expect(whyIgnored(job, { workerId: 'w1', outcome: { status: 'COMPLETED', output: toJson(1) } })).toBe(reason)
})

test('the same error twice is the same result, another error is not', () => {
  const job = ended('FAILED', { error: 'no cheese' })
  const posted = (error: string) => ({ workerId: 'w1', outcome: { status: 'FAILED', error } as const })
  expect([whyIgnored(job, posted('no cheese')), whyIgnored(job, posted('no bread'))]).toEqual(['result_repeated', 'job_ended'])
})

test('a result that was not read repeats one that completed, else it came after another end', () => {
  const unread = { workerId: 'w1', outcome: undefined }
  expect(whyIgnored({ status: 'COMPLETED', workerId: 'w1', settledAt: 1 }, unread)).toBe('result_repeated')
  expect(whyIgnored({ status: 'FAILED', workerId: 'w1', settledAt: 1 }, unread)).toBe('job_ended')
})
