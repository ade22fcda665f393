import { toJson } from '@runyard/schema'
import { expect, test } from 'vitest'
import { whyIgnored } from './ignored-result.ts'

const ended = (status: 'COMPLETED' | 'FAILED' | 'CANCELLED', more: { workerId?: string; error?: string } = {}) =>
  ({ status, settledAt: 1, workerId: 'w1', ...more }) as const

test.each([
  ['does not exist', undefined, 'job_unknown'],
  ['is queued again', { status: 'IN_QUEUE' }, 'attempt_superseded'],
  ['runs on another worker', { status: 'IN_PROGRESS', workerId: 'w2' }, 'attempt_superseded'],
  ['was ended by another worker', ended('COMPLETED', { workerId: 'w2' }), 'attempt_superseded'],
  ['was ended by this worker', ended('COMPLETED'), 'result_repeated'],
  ['failed while this worker held it', ended('FAILED', { error: 'job timed out' }), 'job_ended'],
  ['was cancelled', ended('CANCELLED', { error: 'cancelled' }), 'job_ended'],
  ['was purged while it was queued again', { status: 'CANCELLED', settledAt: 1 }, 'job_ended'],
] as const)('a result is ignored if its job %s', (_, job, reason) => {
  expect(whyIgnored(job, { workerId: 'w1', outcome: { status: 'COMPLETED', output: toJson(1) } })).toBe(reason)
})

test('the same error twice is a repeated result, a different error is not', () => {
  const job = ended('FAILED', { error: 'no cheese' })
  const posted = (error: string) => ({ workerId: 'w1', outcome: { status: 'FAILED', error } as const })
  expect([whyIgnored(job, posted('no cheese')), whyIgnored(job, posted('no bread'))]).toEqual(['result_repeated', 'job_ended'])
})

test('an unread result counts as repeated if the job completed, otherwise as late', () => {
  const unread = { workerId: 'w1', outcome: undefined }
  expect(whyIgnored({ status: 'COMPLETED', workerId: 'w1', settledAt: 1 }, unread)).toBe('result_repeated')
  expect(whyIgnored({ status: 'FAILED', workerId: 'w1', settledAt: 1 }, unread)).toBe('job_ended')
})
