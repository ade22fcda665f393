import { afterEach, expect, it, vi } from 'vitest'
import { createSharedAnswers } from './shared-answers.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('reads once for all that ask the same within some seconds, and again afterwards', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const find = createSharedAnswers<number>()
  let reads = 0
  const read = async () => (reads += 1)
  expect(await Promise.all([find('one', read), find('one', read), find('other', read)])).toEqual([1, 1, 2])
  vi.advanceTimersByTime(2000)
  expect(await find('one', read)).toBe(1)
  vi.advanceTimersByTime(600)
  expect(await find('one', read)).toBe(3)
})

it('does not share a failure with those that ask later, and keeps only some answers', async () => {
  const find = createSharedAnswers<number>()
  await expect(find('one', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await find('one', async () => 1)).toBe(1)
  for (let other = 0; other < 60; other += 1) await find(`other ${other}`, async () => 0)
  expect(await find('one', async () => 2)).toBe(2)
})
