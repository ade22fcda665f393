import { expect, test } from 'vitest'
import { LINE_BYTES } from './log-lines.ts'
import { createLogGate } from './log-pace.ts'
import { createLogThrottle } from './log-throttle.ts'

declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string
}

const PACE = { linesPerS: 10, bytesPerS: 100_000, burstLines: 20, burstBytes: 100_000 }

function open() {
  const throttle = createLogThrottle(createLogGate(PACE))
  const push = (text: string, now: number): string =>
    throttle
      .push(new TextEncoder().encode(text), now)
      .map((part) => (typeof part === 'string' ? part : new TextDecoder().decode(part)))
      .join('')
  return { push, report: (now: number) => throttle.report(now).join('') }
}

test('a little output passes at once and byte for byte, including unfinished lines and progress bars', () => {
  const { push } = open()
  expect(push('loading…', 0)).toBe('loading…')
  expect(push(' done\n10%\r20%', 0)).toBe(' done\n10%\r20%')
})

test('a flood of lines is dropped, and reported when the gate opens again', () => {
  const { push, report } = open()
  expect(push('x\n'.repeat(50), 0)).toBe('x\n'.repeat(20))
  expect(report(0)).toBe('')
  expect(push('y\n', 1000)).toBe('30 lines (60 bytes) dropped\ny\n')
  expect(push('z\n'.repeat(20), 1000)).toBe('z\n'.repeat(9))
  expect(report(2000)).toBe('11 lines (22 bytes) dropped\n')
})

test('an endless line is cut, and its end reports how many bytes were cut', () => {
  const { push } = open()
  const chunks = Array.from({ length: 100 }, () => push('x'.repeat(10_000), 0)).join('')
  expect(chunks).toBe('x'.repeat(LINE_BYTES))
  expect(push('\nnext\n', 0)).toBe(`\n… ${1_000_000 - LINE_BYTES} bytes more\nnext\n`)
  const whole = `${'x'.repeat(LINE_BYTES)}\n`
  expect(push(whole, 10_000)).toBe(whole)
})

test('of a dropped line that comes in parts every byte counts, and a cut progress bar ends as it began', () => {
  const { push, report } = open()
  expect(push('x\n'.repeat(20), 0)).toBe('x\n'.repeat(20))
  expect(push('abc', 0) + push('defg\n', 0)).toBe('')
  expect(report(5000)).toBe('1 line (8 bytes) dropped\n')
  expect(push(`${'x'.repeat(LINE_BYTES + 3)}\r`, 9000)).toBe(`${'x'.repeat(LINE_BYTES)}\n… 3 bytes more\r`)
})
