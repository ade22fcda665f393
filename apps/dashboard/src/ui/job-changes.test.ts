import { expect, it } from 'vitest'
import { mayChange } from './job-changes.ts'

it.each([
  ['IN_QUEUE', false, true],
  ['IN_PROGRESS', false, true],
  ['COMPLETED', false, false],
  ['FAILED', true, false],
  ['TIMED_OUT', true, false],
  ['CANCELLED', false, false],
] as const)('a job that is %s may be retried: %s, cancelled: %s', (status, retry, cancel) => {
  expect([mayChange('retry', { status }), mayChange('cancel', { status })]).toEqual([retry, cancel])
})
