import { createLogger } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import type { Holding, LeaderStore } from '@runyard/store'
import { afterEach, expect, test, vi } from 'vitest'
import { openLeadership, type Leadership, type LeadershipOptions } from './leadership.ts'

const facts = { machine: 'here', pid: 1, dataDir: '/data', since: 1, processTable: '', life: '' }
const others: Holding = { kind: 'others', owner: 'other', leader: { ...facts, pid: 2 }, leftMs: 1 }
const away = new RunyardError('store_unavailable', 'away')
const WAIT = { interval: 5 }
const open: Leadership[] = []

afterEach(async () => {
  for (const leadership of open.splice(0)) await leadership[Symbol.asyncDispose]()
})

/** A lease that answers as the test says. */
interface Lease {
  answer: Holding | RunyardError
  /** The term in each request. */
  readonly asked: (number | undefined)[]
  released: number
  readonly store: LeaderStore
}

function createLease(answer: Holding | RunyardError): Lease {
  const lease: Lease = {
    answer,
    asked: [],
    released: 0,
    store: {
      hold: (_owner, { term }) => {
        lease.asked.push(term)
        return lease.answer instanceof RunyardError ? Promise.reject(lease.answer) : Promise.resolve(lease.answer)
      },
      release: async () => void (lease.released += 1),
    },
  }
  return lease
}

function lead(store: LeaderStore, options: Partial<LeadershipOptions> = {}): Leadership {
  const log = createLogger({ name: 'leadership-test', level: 'silent' })
  const leadership = openLeadership({ store, facts, log, isWorking: () => true, ttlMs: 60_000, ...options })
  open.push(leadership)
  return leadership
}

test('a scaler leads under the term that it was given, renews it while it works, and gives it up at its end', async () => {
  const lease = createLease({ kind: 'held', term: 7 })
  const leadership = lead(lease.store, { ttlMs: 100 })
  expect(leadership.current()).toBeUndefined()
  expect(await leadership.look()).toMatchObject({ kind: 'leads', term: { number: 7 } })
  const term = leadership.current()
  await vi.waitFor(() => expect(lease.asked).toEqual([undefined, 7, 7, expect.anything(), ...lease.asked.slice(4)]), WAIT)
  expect(leadership.current()).toBe(term)
  await leadership[Symbol.asyncDispose]()
  expect([term?.signal.aborted, lease.released]).toEqual([true, 1])
})

test('a scaler that hangs renews nothing, and after the lease’s time does nothing that cannot be undone', async () => {
  const lease = createLease({ kind: 'held', term: 7 })
  const leadership = lead(lease.store, { ttlMs: 50, isWorking: () => false })
  await leadership.look()
  const term = leadership.current()
  await vi.waitFor(() => expect(leadership.current()).toBeUndefined(), WAIT)
  expect(() => term?.assertHeld()).toThrow('not sure')
  expect(lease.asked).toHaveLength(1)
})

test('while Redis is unavailable the term is paused, not ended: nothing is aborted, and it continues unless another scaler led meanwhile', async () => {
  const lease = createLease({ kind: 'held', term: 7 })
  const leadership = lead(lease.store, { ttlMs: 50 })
  await leadership.look()
  const term = leadership.current()
  lease.answer = away
  await vi.waitFor(() => expect(leadership.current()).toBeUndefined(), WAIT)
  await expect(leadership.look()).rejects.toBe(away)
  expect(term?.signal.aborted).toBe(false)
  lease.answer = { kind: 'held', term: 7 }
  await leadership.look()
  expect(leadership.current()).toBe(term)
  expect(lease.asked.at(-1)).toBe(7)
})

test.each<[string, Holding, number | undefined]>([
  ['another one leads by now', others, undefined],
  ['it has a later one itself, since Redis was emptied', { kind: 'held', term: 8 }, 8],
])('a term is over at once where %s', async (_, answer, next) => {
  const lease = createLease({ kind: 'held', term: 7 })
  const leadership = lead(lease.store)
  await leadership.look()
  const term = leadership.current()
  lease.answer = answer
  await leadership.look()
  expect(term?.signal.aborted).toBe(true)
  expect(() => term?.assertHeld()).toThrow(RunyardError)
  expect(leadership.current()?.number).toBe(next)
})

test('the lease of a leader that is seen to be dead is not waited for', async () => {
  const lease = createLease(others)
  const leadership = lead(
    { ...lease.store, release: async (owner) => void (lease.answer = { kind: 'held', term: owner === 'other' ? 9 : 0 }) },
    { isGone: ({ pid }) => pid === 2 },
  )
  expect(await leadership.look()).toMatchObject({ kind: 'leads', term: { number: 9 } })
})

test('a refused write ends the term, and the lease is requested again without it', async () => {
  const lease = createLease({ kind: 'held', term: 7 })
  const leadership = lead(lease.store)
  await leadership.look()
  const term = leadership.current()
  leadership.lose()
  expect([term?.signal.aborted, leadership.current(), lease.released]).toEqual([true, undefined, 1])
  lease.answer = others
  expect(await leadership.look()).toEqual({ kind: 'elsewhere', leader: others.kind === 'others' ? others.leader : undefined })
  expect(lease.asked).toEqual([undefined, undefined])
})
