import type { TimedLine } from '@runyard/core'
import { expect, it } from 'vitest'
import { createLogBatch } from './log-batch.ts'

const numbered = (count: number): TimedLine[] => Array.from({ length: count }, (_, at) => ({ at, line: `line ${at}` }))

it('writes lines in order, and one line that reports what was too much', async () => {
  const written: TimedLine[] = []
  const batch = createLogBatch(async (lines) => void written.push(...lines))
  for (const line of numbered(5000)) batch.push(line)
  await batch.close()
  const kept = written.slice(0, -1)
  expect(kept).toEqual(numbered(kept.length))
  expect(kept.length).toBeGreaterThanOrEqual(1000)
  expect(written.at(-1)?.line).toMatch(new RegExp(`^${5000 - kept.length} lines \\(\\d+ bytes\\) dropped$`))
})

it('holds a bounded number of lines while the store does not answer, and reports those that it could not take', async () => {
  const answer = Promise.withResolvers<undefined>()
  const asked = Promise.withResolvers<undefined>()
  const written: (readonly TimedLine[])[] = []
  const batch = createLogBatch(async (lines) => {
    written.push(lines)
    asked.resolve(undefined)
    if (written.length === 1) await answer.promise
  })
  batch.push({ at: 0, line: 'first' })
  await asked.promise
  for (const line of numbered(5000)) batch.push(line)
  expect(written).toHaveLength(1)
  answer.reject(new Error('away'))
  await batch.close()
  const later = written.slice(1).flat()
  expect(later.length).toBeLessThanOrEqual(1500)
  expect(later.at(-1)?.line).toMatch(/ lines \(\d+ bytes\) dropped$/)
})
