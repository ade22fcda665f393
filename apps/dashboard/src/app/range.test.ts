import { describe, expect, it } from 'vitest'
import { keepRange, readRange, toRange } from './range.ts'

describe('the range of an address', () => {
  it.each([
    [{ range: '6h' }, { range: '6h' }],
    [{ range: '1h' }, {}],
    [{ range: '99y', endpoint: 'e' }, {}],
    [
      { from: 10, to: 20, range: '6h' },
      { from: 10, to: 20 },
    ],
    [
      { from: '10', to: '20' },
      { from: 10, to: 20 },
    ],
    [{ from: 'abc', to: -5 }, {}],
    [{ from: 20, to: 10 }, {}],
    [{ from: 1, to: 1e20 }, {}],
    [{ from: 1 }, {}],
  ])('%j is %j', (search, range) => {
    expect(readRange(search)).toEqual(range)
    expect(keepRange(search)).toEqual(range)
  })

  it('is the last hour where the address has none', () => {
    expect(toRange({}, 3_600_001)).toEqual({ from: 1, to: 3_600_001, span: '1h' })
  })
})
