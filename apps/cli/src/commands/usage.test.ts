import { describe, expect, it } from 'vitest'
import { parseSince } from './usage.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

describe('parseSince', () => {
  it.each([
    ['90m', '2026-11-24T10:30:00Z'],
    ['24h', '2026-11-23T12:00:00Z'],
    ['7d', '2026-11-17T12:00:00Z'],
    ['2026-11-01', '2026-11-01T00:00:00Z'],
  ])('takes %s', (text, expected) => {
    expect(parseSince(text, NOW)).toBe(Date.parse(expected))
  })

  it.each(['yesterday', '7w', '2027-01-01', ''])('refuses %j and says what it takes', (text) => {
    expect(() => parseSince(text, NOW)).toThrow('--since takes a span such as 90m')
  })
})
