import { expect, test } from 'vitest'
import { formatLogLine } from './log-line.ts'

test('a JSON line is printed as time, level, message and its further fields', () => {
  const line = JSON.stringify({
    level: 40,
    time: 1_795_945_922_123,
    name: 'gateway',
    pid: 7,
    msg: 'slow',
    job: 'a-1',
    why: 'two words',
    ms: 3,
  })
  expect(formatLogLine(line)).toBe('09:52:02.123 warn  slow job=a-1 why="two words" ms=3')
})

test.each(['Restarting apps/gateway/src/main.ts', '{half', ''])('any other line is printed unchanged: %s', (line) => {
  expect(formatLogLine(line)).toBe(line)
})
