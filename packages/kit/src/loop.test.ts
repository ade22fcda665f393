import { describe, expect, it } from 'vitest'
import { createLoop } from './loop.ts'

const silent = { error: () => {} }
const NEVER = Number.MAX_SAFE_INTEGER

function counter() {
  const waiting = new Map<number, () => void>()
  let count = 0
  return {
    hit() {
      count += 1
      waiting.get(count)?.()
    },
    get count() {
      return count
    },
    reached: (n: number) =>
      new Promise<void>((resolve) => {
        if (count >= n) resolve()
        else waiting.set(n, resolve)
      }),
  }
}

describe('createLoop', () => {
  it('ticks at once, then sleeps until it is woken', async () => {
    const ticks = counter()
    await using loop = createLoop({ name: 't', log: silent, maxSleepMs: 60_000, tick: async () => (ticks.hit(), NEVER) })
    loop.start()
    await ticks.reached(1)
    loop.wake()
    await ticks.reached(2)
    expect(ticks.count).toBe(2)
  })

  it('ticks once more when it is woken during a tick, however often', async () => {
    const ticks = counter()
    const gate = Promise.withResolvers<void>()
    await using loop = createLoop({
      name: 't',
      log: silent,
      maxSleepMs: 60_000,
      tick: async () => {
        ticks.hit()
        if (ticks.count === 1) await gate.promise
        return NEVER
      },
    })
    loop.start()
    await ticks.reached(1)
    loop.wake()
    loop.wake()
    gate.resolve()
    await ticks.reached(2)
    await loop.tick()
    expect(ticks.count).toBe(3)
  })

  it('ticks again at the time that the tick returned', async () => {
    const ticks = counter()
    await using loop = createLoop({ name: 't', log: silent, maxSleepMs: 60_000, tick: async (now) => (ticks.hit(), now + 5) })
    loop.start()
    await ticks.reached(3)
    expect(ticks.count).toBeGreaterThanOrEqual(3)
  })

  it('logs a failed tick and retries', async () => {
    const ticks = counter()
    const logged: unknown[] = []
    const log = { error: (entry: unknown) => logged.push(entry) }
    await using loop = createLoop({
      name: 't',
      log: log as never,
      maxSleepMs: 10,
      tick: async () => {
        ticks.hit()
        if (ticks.count === 1) throw new Error('no')
        return NEVER
      },
    })
    loop.start()
    await ticks.reached(2)
    expect(logged).toMatchObject([{ loop: 't', failures: 1 }])
  })

  it('waits for the running tick when it is closed, and does not tick again', async () => {
    const ticks = counter()
    const gate = Promise.withResolvers<void>()
    const loop = createLoop({ name: 't', log: silent, maxSleepMs: 1, tick: async () => (ticks.hit(), await gate.promise, 0) })
    loop.start()
    await ticks.reached(1)
    const closed = loop[Symbol.asyncDispose]()
    gate.resolve()
    await closed
    expect(ticks.count).toBe(1)
  })
})
