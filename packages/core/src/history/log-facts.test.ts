import { expect, it } from 'vitest'
import { jobAt, levelOf } from './log-facts.ts'

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
    { jobId: 'a', from: 10, to: 20 },
    { jobId: 'b', from: 15, to: 30 },
    { jobId: 'c', from: 40, to: Infinity },
  ]
  expect([5, 12, 17, 25, 35, 99].map((at) => jobAt(spans, at))).toEqual([undefined, 'a', undefined, 'b', undefined, 'c'])
})
