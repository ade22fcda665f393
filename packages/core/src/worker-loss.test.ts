import { expect, test } from 'vitest'
import { describeExit, describeLoss } from './worker-loss.ts'

test('the evidence names the cause, the exit and the last lines', () => {
  const exit = { at: 1, exitCode: 137, oomKilled: true, lastLogLines: ['', 'allocating 40 GB'] }
  expect(describeExit('w1', 'out_of_memory', exit)).toBe(
    'worker w1 was lost: the worker went over its memory limit (exit code 137, OOM-killed); its last lines:\nallocating 40 GB',
  )
  expect(describeExit('w1', 'heartbeat_lost', undefined)).toBe('worker w1 was lost: the worker stopped reporting')
})

test('a job is shown no line that may be of another job of its worker', () => {
  const exit = { at: 9, exitCode: 137, oomKilled: false, lastLogLines: [] }
  const printed = (at: number, line: string) => ({ at, line, source: 'stdout' as const })
  const lines = [printed(1, 'loading'), printed(3, 'of a'), printed(5, 'of a or b'), printed(8, 'of b')]
  const spans = [
    { jobId: 'a', from: 2, to: 6 },
    { jobId: 'b', from: 4, to: Infinity },
  ]
  const said = (jobId: string) => describeLoss({ workerId: 'w1', jobId, reason: 'exited' }, { exit, lines, spans })
  expect(said('b')).toMatch(
    /^worker w1 was lost: .* \(exit code 137, ended by SIGKILL\); lines that may be of other jobs are only in the log of the worker; its last lines:\nloading\nof b$/u,
  )
  expect(said('a')).toMatch(/its last lines:\nloading\nof a$/u)
  const alone = describeLoss({ workerId: 'w1', jobId: 'b', reason: 'exited' }, { exit, lines: lines.slice(0, 1), spans })
  expect(alone).toMatch(/\(exit code 137, ended by SIGKILL\); its last lines:\nloading$/u)
})
