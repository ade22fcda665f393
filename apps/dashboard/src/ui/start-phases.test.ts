import { describe, expect, it } from 'vitest'
import { adviseOnStarts, startPhases, usualPhases } from './start-phases.ts'

const start = (placed: number, [image = 0, container = 0, boot = 0, first = 0]: readonly number[], lived = 600_000) => {
  const imageReady = placed + image
  const containerStarted = imageReady + container
  const ready = containerStarted + boot
  return { times: { placed, imageReady, containerStarted, ready, firstFunction: ready + first, gone: placed + lived } }
}

it('each phase ends where the next begins, and only those that are over are shown', () => {
  expect(startPhases({ placed: 100, imageReady: 150, containerStarted: 400 }).map(({ name, from, to }) => [name, from, to])).toEqual([
    ['image', 100, 150],
    ['create', 150, 400],
  ])
})

it('a time that is not known makes the next phase longer', () => {
  expect(startPhases({ placed: 100, containerStarted: 400, ready: 900 }).map(({ name, from, to }) => [name, from, to])).toEqual([
    ['create', 100, 400],
    ['boot', 400, 900],
  ])
})

it('usual is the median of the latest twenty starts', () => {
  const lives = [...Array.from({ length: 20 }, (_, n) => start(n, [n, 10, 10, 10])), start(0, [99_999, 10, 10, 10])]
  expect(usualPhases(lives).get('image')).toBe(9)
})

describe('the advice', () => {
  const now = 100_000_000

  it('is about the pull where that is most of a start', () => {
    expect(adviseOnStarts([start(now - 5000, [9000, 100, 500, 100])], now)).toMatch(/9\.0 s of 9\.7 s.*pull/u)
  })

  it('is about the idle timeout where workers start soon after the last one ended', () => {
    const often = Array.from({ length: 8 }, (_, n) => start(now - 3_000_000 + n * 300_000, [10, 100, 500, 100], 200_000)).toReversed()
    expect(adviseOnStarts(often, now)).toBe(
      'Raise the idle timeout: 7 of 8 starts of the last hour came within 3 min of the last worker’s end.',
    )
  })

  it('is about dependencies where boot is long and most of it', () => {
    expect(adviseOnStarts([start(now - 5000, [10, 100, 5000, 100])], now)).toMatch(/boot/u)
  })

  it('is silent where nothing stands out', () => {
    expect(adviseOnStarts([start(now - 5000, [10, 100, 500, 100])], now)).toBeUndefined()
    expect(adviseOnStarts([], now)).toBeUndefined()
  })
})
