import { createLogger } from '@runyard/kit'
import type { ClaimedWebhook } from '@runyard/store'
import { expect, it } from 'vitest'
import { createDeliveryLoop, type DeliveryLoopDeps } from './delivery-loop.ts'

const log = createLogger({ name: 'test', level: 'silent' })
const NOTHING = { events: [], nextAt: undefined, isMoreDue: false, dropped: 0 }

/** An outbox of one receiver per lane that never answers, and what was asked of it. */
function world(lanes: Record<string, number>) {
  const waiting = new Map(Object.entries(lanes))
  const asked: string[] = []
  const started: string[] = []
  const ends: (() => void)[] = []
  const deps: DeliveryLoopDeps = {
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
    ownerOf: () => Promise.resolve('owner'),
    deliver: ({ lane }) => {
      started.push(lane)
      return new Promise((resolve) => {
        ends.push(resolve)
      })
    },
  }
  return { deps, asked, started, ends, loop: createDeliveryLoop(deps) }
}

it('an installation without webhooks is asked one question, and again only after a lost connection', async () => {
  const { loop, asked } = world({})
  await expect.poll(() => asked).toEqual(['endpoints'])
  loop.wakeAll()
  await expect.poll(() => asked).toEqual(['endpoints', 'endpoints'])
  await loop[Symbol.asyncDispose]()
  expect(asked).toEqual(['endpoints', 'endpoints'])
})

it('no receiver and no owner gets more than its share; a free slot is filled', async () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`dead-${n}`, 20]))
  const { loop, started, ends, asked } = world(many)
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
  await loop[Symbol.asyncDispose]()
  expect(started).toHaveLength(200)
})

it('an owner whose receivers are dead leaves room for others, however many endpoints it has', async () => {
  const endpoints = [...Array.from({ length: 30 }, (_, n) => `bad-${n}`), 'good']
  const started: string[] = []
  const left = new Map(endpoints.map((id) => [id, 20]))
  const deps: DeliveryLoopDeps = {
    log,
    leaseMs: 1000,
    ownerOf: (id) => Promise.resolve(id.slice(0, 3)),
    webhooks: {
      endpoints: () => Promise.resolve(endpoints),
      claim(endpointId, { limit }) {
        const take = Math.min(limit, left.get(endpointId) ?? 0)
        left.set(endpointId, (left.get(endpointId) ?? 0) - take)
        const events = Array.from(
          { length: take },
          (_, n) => ({ eventId: `${endpointId}-${n}`, lane: endpointId, endpointId }) as ClaimedWebhook,
        )
        return Promise.resolve({ ...NOTHING, events, isMoreDue: (left.get(endpointId) ?? 0) > 0 })
      },
    },
    deliver: ({ endpointId }) => {
      started.push(endpointId)
      return new Promise(() => undefined)
    },
  }
  const loop = createDeliveryLoop(deps)
  await expect.poll(() => started.filter((id) => id === 'good').length).toBe(20)
  expect(started.filter((id) => id !== 'good')).toHaveLength(64)
  await loop[Symbol.asyncDispose]()
})
