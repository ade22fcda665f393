import { REASONS, type Reason } from '@runyard/schema'
import { expect, test } from 'vitest'
import { graceFor } from './retire-worker.ts'

test('a worker that goes on with a job which has ended gets one second before SIGKILL, every other five', () => {
  const short = (Object.keys(REASONS) as Reason[]).filter((reason) => graceFor(reason) !== 5000)
  expect(short.map((reason) => [reason, graceFor(reason)])).toEqual([['execution_timeout', 1000]])
})
