import { expect, it } from 'vitest'
import { formatMillis } from './format.ts'

it('writes whole milliseconds in three digits, also of a time with parts of one', () => {
  const at = Date.parse('2026-11-30T16:08:48Z')
  expect([0, 59.503662109375, 330.2900390625].map((ms) => formatMillis(at + ms))).toEqual(['.000', '.059', '.330'])
})
