import type { UsageLine } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { formatCost } from '../../ui/format.ts'
import { barsOf, formatHours, idleShare, nameOf, readUsageSearch, sortUsage, toCommand } from './describe-usage.ts'

const line = (change: Partial<UsageLine>): UsageLine => ({ seconds: 0, billableSeconds: 0, gpuSeconds: 0, cost: 0, ...change })

it('takes a grouping from the address, and nothing else', () => {
  expect(readUsageSearch({ by: 'key' })).toEqual({ by: 'key' })
  expect(readUsageSearch({ by: 'endpoint' })).toEqual({})
  expect(readUsageSearch({ by: 'moon' })).toEqual({})
})

it.each([
  [0, '0 s'],
  [21, '21.0 s'],
  [252, '4 min 12 s'],
  [5400, '1.50 h'],
  [112_320, '31.2 h'],
  [4_334_400, '1,204 h'],
])('writes %i seconds as %s', (seconds, text) => {
  expect(formatHours(seconds)).toBe(text)
})

it('shows what costs less than a cent', () => {
  expect(formatCost(0.0012, 'EUR')).toBe('0.0012 EUR')
  expect(formatCost(12.5, 'EUR')).toBe('12.50 EUR')
  expect(formatCost(0, 'EUR')).toBe('0.00 EUR')
})

it('says who is gone', () => {
  expect(nameOf(line({ keyId: 'k1', keyName: null }), 'key')).toBe('k1 (gone)')
  expect(nameOf(line({ endpointId: null, endpointName: null }), 'endpoint')).toBe('deleted endpoints')
  expect(nameOf(line({ gpuType: null }), 'gpu')).toBe('CPU only')
})

it('knows no idle share where the history ends or nothing was billed', () => {
  expect(idleShare({ idleSeconds: null, billableSeconds: 10 })).toBeUndefined()
  expect(idleShare({ idleSeconds: 0, billableSeconds: 0 })).toBeUndefined()
  expect(idleShare({ idleSeconds: 5, billableSeconds: 10 })).toBe(0.5)
})

it('draws bars by cost, or by time where nothing has a price, and sorts by the same', () => {
  const lines = [
    line({ gpuSeconds: 10, billableSeconds: 10, day: '2026-01-02' }),
    line({ gpuSeconds: 40, billableSeconds: 20, day: '2026-01-01' }),
  ]
  expect(barsOf(lines).map(({ length }) => length)).toEqual([0.25, 1])
  expect(barsOf([...lines, line({ cost: 3 })]).map(({ length }) => length)).toEqual([0, 0, 1])
  expect(barsOf([])).toEqual([])
  expect(sortUsage(lines, 'endpoint').map(({ gpuSeconds }) => gpuSeconds)).toEqual([40, 10])
  expect(sortUsage(lines, 'day').map(({ day }) => day)).toEqual(['2026-01-01', '2026-01-02'])
})

it('has the same as a command', () => {
  expect(toCommand({ by: 'key', span: '24h', csvUrl: '' })).toBe('runyard usage --since 24h --by key')
  expect(toCommand({ by: 'key', span: undefined, csvUrl: 'http://x/runyard/v1/usage?by=key&format=csv' })).toContain(
    "'http://x/runyard/v1/usage?by=key'",
  )
})
