import type { LogLine } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JobSpan } from './history/log-facts.ts'
import { describeExit, describeLoss } from './worker-loss.ts'

test('the evidence names the cause, the exit and the last lines', () => {
  const exit = { at: 1, exitCode: 137, oomKilled: true, lastLogLines: ['', 'allocating 40 GB'] }
  expect(describeExit('w1', 'out_of_memory', exit)).toBe(
    'worker w1 was lost: the worker went over its memory limit (exit code 137, OOM-killed); its last lines:\nallocating 40 GB',
  )
  expect(describeExit('w1', 'exited', { at: 1, exitCode: null, oomKilled: false, lastLogLines: [] })).toBe(
    'worker w1 was lost: the worker’s process ended, and Runyard had not stopped it',
  )
  expect(describeExit('w1', 'heartbeat_lost', undefined)).toBe('worker w1 was lost: the worker stopped reporting')
})

const OMITTED = '; lines that may be of other jobs are only in the log of the worker'
const printed = (at: number, line: string): LogLine => ({ at, line, source: 'stdout' })

/** What the error of job `b` quotes. */
function quoted(lines: readonly LogLine[], spans: readonly JobSpan[], lastJobEndedAt?: number): readonly string[] {
  const exit = { at: 9, exitCode: 137, oomKilled: false, lastLogLines: [] }
  const text = describeLoss({ workerId: 'w1', jobId: 'b', reason: 'exited' }, { exit, lines, spans, lastJobEndedAt })
  const [head = '', ...rest] = text.split('\n')
  expect(head).toMatch(/^worker w1 was lost: .* \(exit code 137, ended by SIGKILL\)/u)
  expect(head.includes(OMITTED)).toBe(rest.length < lines.length)
  expect(head.endsWith('; its last lines:')).toBe(rest.length > 0)
  return rest
}

const held = (jobId: string, from: number): JobSpan => ({ jobId, from, to: Infinity })
const sdk = (jobId: string, message: string) => `{"requestId": "${jobId}", "message": "${message}", "level": "INFO"}`

test.each<[string, readonly LogLine[], readonly JobSpan[], number | undefined, readonly string[]]>([
  ['has no other job', [printed(1, 'loading'), printed(5, 'of b')], [held('b', 4)], undefined, ['loading', 'of b']],
  [
    'holds another',
    [printed(1, 'loading'), printed(3, 'of b'), printed(5, 'of a or b')],
    [held('b', 2), held('a', 4)],
    undefined,
    ['loading', 'of b'],
  ],
  ['had another', [printed(1, 'loading'), printed(900, 'late'), printed(1600, 'of b')], [held('b', 550)], 500, ['of b']],
  [
    'had another that has no end',
    [printed(1, 'of a'), printed(2500, 'of b')],
    [{ jobId: 'a', from: 0, to: 900 }, held('b', 2000)],
    undefined,
    ['of b'],
  ],
  [
    'has a clock that is ahead',
    [printed(9000, 'of a'), printed(9001, sdk('a', 'Finished.')), printed(9002, sdk('b', 'Started.'))],
    [held('b', 6000)],
    5000,
    [sdk('b', 'Started.')],
  ],
])('a job of a worker that %s is shown no line that may be of another', (_, lines, spans, lastJobEndedAt, expected) => {
  expect(quoted(lines, spans, lastJobEndedAt)).toEqual(expected)
})

test('however many short jobs a worker had before, none of their lines is quoted', () => {
  const past = fc.record({ pauseMs: fc.nat(300), lastsMs: fc.nat(1500), lateMs: fc.nat(1000) })
  fc.assert(
    fc.property(fc.array(past, { minLength: 1, maxLength: 40 }), fc.nat(3000), (jobs, lastsMs) => {
      let now = 0
      const lines: LogLine[] = []
      for (const job of jobs) {
        const end = now + job.pauseMs + job.lastsMs
        lines.push(printed(now + job.pauseMs, 'of a'), printed(end + job.lateMs, 'of a'))
        now = end
      }
      lines.push(printed(now + lastsMs, 'of b'))
      const shown = quoted(lines.toSorted((a, b) => a.at - b.at).slice(-20), [held('b', now)], now)
      expect(shown).toEqual(lastsMs > 1000 ? ['of b'] : [])
    }),
  )
})
