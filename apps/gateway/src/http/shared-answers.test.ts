import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKept } from './shared-answers.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const counting = () => {
  let reads = 0
  return async () => (reads += 1)
}

it('reads once for all that ask the same within some seconds, and again afterwards', async () => {
  const { find, noteChange } = createKept<number>()
  noteChange()
  const read = counting()
  expect(await Promise.all([find('one', read), find('one', read), find('other', read)])).toEqual([1, 1, 2])
  vi.advanceTimersByTime(2000)
  expect(await find('one', read)).toBe(1)
  vi.advanceTimersByTime(600)
  expect(await find('one', read)).toBe(3)
})

it('reads once in a minute while nothing changes, and again soon after a change', async () => {
  const { find, noteChange } = createKept<number>()
  const read = counting()
  noteChange()
  vi.advanceTimersByTime(6000)
  expect(await find('one', read)).toBe(1)
  vi.advanceTimersByTime(59_000)
  expect(await find('one', read)).toBe(1)
  vi.advanceTimersByTime(2000)
  expect(await find('one', read)).toBe(2)
  vi.advanceTimersByTime(3000)
  noteChange()
  expect(await find('one', read)).toBe(3)
  // What is read right after a change may lack what is written behind its signal.
  vi.advanceTimersByTime(3000)
  expect(await find('one', read)).toBe(4)
})

it('shares what is asked for because of a change only as long as there is no other', async () => {
  const { findCurrent, noteChange } = createKept<number>()
  const read = counting()
  expect(await Promise.all([findCurrent('one', read), findCurrent('one', read)])).toEqual([1, 1])
  vi.advanceTimersByTime(10)
  noteChange()
  vi.advanceTimersByTime(10)
  expect(await Promise.all([findCurrent('one', read), findCurrent('one', read)])).toEqual([2, 2])
})

it('does not share a failure with those that ask later, and keeps only some answers', async () => {
  const { find } = createKept<number>()
  await expect(find('one', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await find('one', async () => 1)).toBe(1)
  for (let other = 0; other < 60; other += 1) await find(`other ${other}`, async () => 0)
  expect(await find('one', async () => 2)).toBe(2)
})
