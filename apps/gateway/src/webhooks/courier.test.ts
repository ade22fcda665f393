import { createLogger } from '@runyard/kit'
import type { ClaimedWebhook } from '@runyard/store'
import { expect, it } from 'vitest'
import { createCourier, type CourierDeps } from './courier.ts'

const log = createLogger({ name: 'test', level: 'silent' })
const NOTHING = { events: [], nextAt: undefined, isMoreDue: false, dropped: 0 }

/** An outbox of one receiver per lane that never answers, and what was asked of it. */
function world(lanes: Record<string, number>) {
  const waiting = new Map(Object.entries(lanes))
  const asked: string[] = []
  const started: string[] = []
  const ends: (() => void)[] = []
  const deps: CourierDeps = {
    log,
    leaseMs: 1000,
    webhooks: {
      endpoints: () => {
        asked.push('endpoints')
        return Promise.resolve(Object.keys(lanes).length === 0 ? [] : ['ep'])
      },
      claim(_endpointId, { limit, perLane, busy }) {
        asked.push('claim')
        const events: ClaimedWebhook[] = []
        for (const [lane, count] of waiting) {
          const take = Math.max(0, Math.min(count, perLane - (busy.get(lane) ?? 0), limit - events.length))
          for (let n = 0; n < take; n += 1) events.push({ eventId: `${lane}-${count - n}`, lane, endpointId: 'ep' } as ClaimedWebhook)
          waiting.set(lane, count - take)
        }
        return Promise.resolve({ ...NOTHING, events, isMoreDue: [...waiting.values()].some((count) => count > 0) })
      },
    },
    deliver: ({ lane }) => {
      started.push(lane)
      return new Promise((resolve) => {
        ends.push(resolve)
      })
    },
  }
  return { deps, asked, started, ends, courier: createCourier(deps) }
}

it('an installation without webhooks is asked one question, and again only after a lost connection', async () => {
  const { courier, asked } = world({})
  await expect.poll(() => asked).toEqual(['endpoints'])
  courier.wakeAll()
  await expect.poll(() => asked).toEqual(['endpoints', 'endpoints'])
  await courier[Symbol.asyncDispose]()
  expect(asked).toEqual(['endpoints', 'endpoints'])
})

it('no receiver gets more than its share, and all together no more than there are slots; a free slot is filled', async () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`dead-${n}`, 20]))
  const { courier, started, ends, asked } = world(many)
  await expect.poll(() => started.length).toBe(64)
  const questions = asked.length
  const counts = Object.keys(many).map((lane) => started.filter((one) => one === lane).length)
  expect(Math.max(...counts)).toBe(8)
  ends.shift()?.()
  await expect.poll(() => started.length).toBe(65)
  expect(asked.length).toBeLessThan(questions + 4)
  for (let end = ends.shift(); end !== undefined || started.length < 200; end = ends.shift()) {
    end?.()
    await new Promise(setImmediate)
  }
  await courier[Symbol.asyncDispose]()
  expect(started).toHaveLength(200)
})
