import { describe, expect, it } from 'vitest'
import { isPostingAgain, judgeMissed, namesItsJobs, strayStep } from './ping-verdict.ts'

const NOW = 100_000
const held = [{ jobId: 'a', startedAt: NOW - 5000 }]
const NONE: ReadonlySet<string> = new Set()

describe('a job that its worker holds', () => {
  it('is lost after two pings in a row that do not name it', () => {
    const first = judgeMissed({ held, named: NONE }, new Map(), NOW)
    expect(first.lost).toEqual([])
    expect(judgeMissed({ held, named: NONE }, first.counts, NOW).lost).toEqual(held)
  })

  it('starts from zero once a ping names it', () => {
    const missed = judgeMissed({ held, named: NONE }, new Map(), NOW)
    const named = judgeMissed({ held, named: new Set(['a']) }, missed.counts, NOW)
    expect(judgeMissed({ held, named: NONE }, named.counts, NOW).lost).toEqual([])
  })

  it('is not missing from a ping that may have been sent before the job arrived', () => {
    const young = [{ jobId: 'a', startedAt: NOW - 1000 }]
    expect(judgeMissed({ held: young, named: NONE }, new Map([['a', 5]]), NOW)).toEqual({ counts: new Map(), lost: [] })
  })
})

describe('a job that its worker names and does not hold', () => {
  it('is stopped, then stopped again, and then the worker is replaced once', () => {
    expect([1, 2, 3, 4, 5].map(strayStep)).toEqual(['stop', 'stop_again', 'replace', 'stop', 'stop'])
  })

  it.each([
    ['was completed a moment ago by this worker', { status: 'COMPLETED', workerId: 'w', settledAt: NOW - 9000 }, true],
    ['was completed long ago', { status: 'COMPLETED', workerId: 'w', settledAt: NOW - 11_000 }, false],
    ['was completed by another worker', { status: 'COMPLETED', workerId: 'other', settledAt: NOW }, false],
    ['was completed at an unknown time', { status: 'COMPLETED', workerId: 'w' }, false],
    ['was cancelled', { status: 'CANCELLED', workerId: 'w', settledAt: NOW }, false],
    ['does not exist any more', undefined, false],
  ])('may be a repeated post if it %s', (_, job, expected) => {
    expect(isPostingAgain(job, 'w', NOW)).toBe(expected)
  })
})

it('only SDK 1.7.1 never names its jobs', () => {
  expect(['1.7.0', '1.7.1', '1.7.2', undefined].map(namesItsJobs)).toEqual([true, false, true, true])
})
