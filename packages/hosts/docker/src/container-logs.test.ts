import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createLogDecoder, parseTime } from './container-logs.ts'

const TIME = '2025-03-04T09:12:44.123456789Z'
const AT = Date.parse('2025-03-04T09:12:44Z') + 123.456789

function frame(source: 'stdout' | 'stderr', text: string): Buffer {
  const body = Buffer.from(`${TIME} ${text}`)
  const header = Buffer.alloc(8)
  header.writeUInt8(source === 'stdout' ? 1 : 2, 0)
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

describe('createLogDecoder', () => {
  it('gives the same lines however the stream is cut', () => {
    const stream = Buffer.concat([
      frame('stdout', 'héllo\n'),
      frame('stderr', 'part, '),
      frame('stdout', 'two\r\n'),
      frame('stderr', 'whole\n'),
    ])
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (positions) => {
        const decoder = createLogDecoder()
        const cuts = [0, ...positions.toSorted((one, other) => one - other), stream.length]
        const lines = cuts.slice(1).flatMap((end, index) => decoder.push(stream.subarray(cuts[index], end)))
        expect([...lines, ...decoder.end()]).toEqual([
          { at: AT, source: 'stdout', line: 'héllo' },
          { at: AT, source: 'stdout', line: 'two' },
          { at: AT, source: 'stderr', line: 'part, whole' },
        ])
      }),
    )
  })

  it('keeps the time of the first frame of a line, and cuts a line that is too long', () => {
    const decoder = createLogDecoder()
    const part = 'x'.repeat(16_000)
    const lines = Array.from({ length: 3 }, () => decoder.push(frame('stdout', part))).flat()
    expect(lines).toEqual([{ at: AT, source: 'stdout', line: 'x'.repeat(16_384) }])
    expect(decoder.push(frame('stdout', 'end\nnext'))).toEqual([{ at: AT, source: 'stdout', line: '… 31619 bytes more' }])
    expect(decoder.end()).toEqual([{ at: AT, source: 'stdout', line: 'next' }])
  })

  it('copies no more than it must of a line without an end', () => {
    const stream = Buffer.concat(Array.from({ length: 64 }, () => frame('stdout', 'x'.repeat(16_000))))
    const concat = vi.spyOn(Buffer, 'concat')
    const decoder = createLogDecoder()
    for (let at = 0; at < stream.length; at += 1000) decoder.push(stream.subarray(at, at + 1000))
    const copied = concat.mock.calls.flatMap(([parts]) => parts[0]?.length ?? 0)
    concat.mockRestore()
    expect(Math.max(...copied)).toBeLessThan(64)
  })

  it('gives a last line that never ended', () => {
    const decoder = createLogDecoder()
    expect(decoder.push(frame('stderr', 'Killed'))).toEqual([])
    expect(decoder.end()).toEqual([{ at: AT, source: 'stderr', line: 'Killed' }])
    expect(decoder.end()).toEqual([])
  })

  it('gives a progress bar as a terminal shows it in the end, and keeps no more of it meanwhile', () => {
    const decoder = createLogDecoder()
    for (let step = 0; step < 100; step += 1) expect(decoder.push(frame('stderr', `\r${step}%\r${step}.5%`))).toEqual([])
    expect(decoder.push(frame('stderr', '\r100%\r\n'))).toEqual([{ at: AT, source: 'stderr', line: '100%' }])
    decoder.push(frame('stderr', '\r 5%\r'))
    decoder.push(frame('stdout', 'loading\rlo'))
    decoder.push(frame('stdout', 'aded\n'))
    expect(decoder.end()).toEqual([{ at: AT, source: 'stderr', line: ' 5%' }])
  })
})

describe('parseTime', () => {
  it('keeps what is finer than a millisecond, and takes offsets', () => {
    expect(parseTime(TIME)).toBeCloseTo(AT, 3)
    expect(parseTime('2025-03-04T10:12:44.5+01:00')).toBe(Date.parse('2025-03-04T09:12:44.500Z'))
    expect(parseTime('2025-03-04T09:12:44Z')).toBe(Date.parse('2025-03-04T09:12:44Z'))
  })
})
