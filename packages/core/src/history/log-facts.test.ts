import { expect, it } from 'vitest'
import { endedAttempts, jobAt, jobOfLine, levelOf, withReadTimes } from './log-facts.ts'

it.each([
  ['2026-11-30 08:00:00 ERROR no room', 'error'],
  ['[warning] disk is nearly full', 'warn'],
  ['INFO:     Started server process', 'info'],
  ['error: no such file', 'error'],
  ['{"level":30,"msg":"ready"}', 'info'],
  ['{"severity": "CRITICAL", "message": "no"}', 'error'],
  ['{"requestId": null, "message": "Started.", "level": "INFO"}', 'info'],
  ['Traceback (most recent call last):', 'error'],
  ['ValueError: bad size', 'error'],
  ['DEBUG | cache hit', 'debug'],
  ['{"msg":"no level"}', undefined],
  ['the error was handled', undefined],
  ['INFORMATION about nothing', undefined],
  [`${'x'.repeat(100)} ERROR`, undefined],
  ['', undefined],
])('reads the level of %j', (line, level) => {
  expect(levelOf(line)).toBe(level)
})

it('names the job of a line only where the worker had one', () => {
  const spans = [
    { jobId: 'a', from: 1000, to: 2000 },
    { jobId: 'b', from: 1500, to: 3000 },
    { jobId: 'c', from: 4000, to: Infinity },
  ]
  expect([500, 1200, 1700, 2050, 3500, 9900].map((at) => jobAt(spans, at))).toEqual([undefined, 'a', undefined, 'b', undefined, 'c'])
})

it('gives a job the lines that are read just after its end, unless several ended', () => {
  const spans = [
    { jobId: 'a', from: 0, to: 1000 },
    { jobId: 'b', from: 2000, to: 3000 },
    { jobId: 'c', from: 2000, to: 3010 },
  ]
  expect([1050, 1200, 3005, 3050].map((at) => jobAt(spans, at))).toEqual(['a', undefined, 'c', undefined])
})

it('gives a line that names a job of the worker to that job, also in the time of the next one', () => {
  const spans = [
    { jobId: 'a', from: 1000, to: 2000 },
    { jobId: 'b', from: 2001, to: Infinity },
  ]
  const finished = (jobId: string) => `{"requestId": "${jobId}", "message": "Finished.", "level": "INFO"}`
  const jobs = [finished('a'), finished('unknown'), 'done'].map((line) => jobOfLine(spans, { at: 2020, line }))
  expect(jobs).toEqual(['a', 'b', 'b'])
})

it('finds the attempts that have ended among events', () => {
  const event = (at: number, kind: 'job_started' | 'job_requeued' | 'job_settled', more: object = {}) => ({ at, kind, jobId: 'a', ...more })
  const events = [
    event(7, 'job_settled'),
    event(1, 'job_started', { workerId: 'w1' }),
    event(2, 'job_started', { workerId: 'w1', message: 'function entered' }),
    event(3, 'job_requeued'),
    event(5, 'job_started', { workerId: 'w2' }),
    { at: 6, kind: 'job_started' as const, jobId: 'b', workerId: 'w2' },
    { at: 6, kind: 'job_settled' as const, jobId: 'c' },
  ]
  expect(endedAttempts(events)).toEqual([
    { jobId: 'a', workerId: 'w1', from: 1, to: 3 },
    { jobId: 'a', workerId: 'w2', from: 5, to: 7 },
  ])
})

it('takes the times of lines that were read before, where those of the file say nothing', () => {
  const lines = (at: number, ...texts: readonly string[]) => texts.map((line, index) => ({ at: at === 9 ? 9 : at + index, line }))
  const times = (...args: Parameters<typeof withReadTimes>) => withReadTimes(...args).map(({ at }) => at)
  expect(times(lines(9, 'b', 'c', 'd'), lines(1, 'a', 'b', 'x', 'c'))).toEqual([2, 4, 9])
  expect(times(lines(9, 'b', 'c'), lines(1, 'x', 'y'))).toEqual([9, 9])
  expect(times(lines(9, 'b'), [])).toEqual([9])
  expect(times(lines(5, 'a', 'b'), lines(1, 'a', 'b'))).toEqual([5, 6])
})
