import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineSplitter, LINE_BYTES, toLine, toTimestamp } from './log-lines.ts'

declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const linesOf = (...chunks: readonly Uint8Array[]): readonly string[] => {
  const splitter = createLineSplitter(new TextDecoder())
  return [...chunks.flatMap((chunk, at) => splitter.push(chunk, at)), ...splitter.end()].map(({ line }) => line)
}

test('the lines do not depend on how the bytes were cut', () => {
  const text = `one\r\n\ntwo é\r1%\r2%\nüber\r${'é'.repeat(LINE_BYTES)}\r\n${'x'.repeat(LINE_BYTES + 1)}\rrest`
  const bytes = bytesOf(text)
  const whole = linesOf(bytes)
  expect(whole.map((line) => line.slice(0, 8))).toEqual(['one', '', '2%', 'éééééééé', '… 16384 ', 'xxxxxxxx', '… 1 byte', 'rest'])
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (positions) => {
      const cuts = [0, ...positions.toSorted((one, other) => one - other), bytes.length]
      expect(linesOf(...cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end)))).toEqual(whole)
    }),
  )
})

test('a line of the maximum size is kept; a longer one is cut between characters, and its rest is counted', () => {
  expect(linesOf(bytesOf(`${'x'.repeat(LINE_BYTES)}\n`))).toEqual(['x'.repeat(LINE_BYTES)])
  const [head, more] = linesOf(bytesOf(`x${'é'.repeat(LINE_BYTES)}\n`))
  expect(head).toBe(`x${'é'.repeat(LINE_BYTES / 2 - 1)}`)
  expect(more).toBe(`… ${LINE_BYTES + 2} bytes more`)
})

test('a progress bar that returns twice has its last state', () => {
  expect(linesOf(bytesOf('10%\r\r90%\n'))).toEqual(['90%'])
})

test('an unfinished line is emitted as soon as it exceeds the maximum size', () => {
  const splitter = createLineSplitter(new TextDecoder())
  expect(splitter.push(bytesOf('x'.repeat(LINE_BYTES)), 1)).toEqual([])
  expect(splitter.push(bytesOf('y'), 2)).toEqual([{ at: 1, line: 'x'.repeat(LINE_BYTES) }])
  expect(splitter.push(bytesOf('z\n'), 3)).toEqual([{ at: 1, line: '… 2 bytes more' }])
})

test('a line of 50 MiB in small chunks is scanned once and not buffered', () => {
  let looked = 0
  let decoded = 0
  // Counts the bytes that each search of a chunk may read.
  class Counted extends Uint8Array {
    override indexOf(byte: number, from = 0): number {
      looked += this.length - from
      return super.indexOf(byte, from)
    }
  }
  const decoder = new TextDecoder()
  const splitter = createLineSplitter({
    decode(bytes) {
      decoded += bytes.length
      return decoder.decode(bytes)
    },
  })
  const chunk = new Counted(16_000).fill(120)
  const chunks = Math.ceil((50 * 2 ** 20) / chunk.length)
  const lines = Array.from({ length: chunks }, () => splitter.push(chunk, 0)).flat()
  expect(lines).toHaveLength(1)
  expect(splitter.end()).toMatchObject([{ line: `… ${chunks * chunk.length - LINE_BYTES} bytes more` }])
  expect(looked).toBeLessThanOrEqual(3 * chunks * chunk.length)
  expect(decoded).toBe(LINE_BYTES)
})

test('a text that we wrote ourselves is cut like a printed line', () => {
  expect(toLine('short')).toBe('short')
  expect(toLine('x'.repeat(LINE_BYTES + 5))).toBe(`${'x'.repeat(LINE_BYTES)}… 5 characters more`)
})

test('a long text is cut between characters, and its rest is counted', () => {
  expect(toLine('short')).toBe('short')
  const some = 'é'.repeat(LINE_BYTES / 2)
  expect(toLine(some)).toBe(some)
  expect(toLine('x'.repeat(LINE_BYTES + 5))).toBe(`${'x'.repeat(LINE_BYTES)}… 5 characters more`)
  expect(toLine(`${'x'.repeat(LINE_BYTES - 1)}😀`)).toBe(`${'x'.repeat(LINE_BYTES - 1)}… 2 characters more`)
})

test.each([
  [1_764_000_000_000, '2025-11-24T16:00:00.000000Z'],
  [1_764_000_000_000.5, '2025-11-24T16:00:00.000500Z'],
])('the time %d is written with microseconds, as clients compare it', (at, text) => {
  expect(toTimestamp(at)).toBe(text)
})
