import type { FoundJob } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { arrivalsOf, imagineArrivals, jobsAtOnceOf, outcomeOf, usualStartMs } from './arrivals.ts'
import { readPreviewSearch, settingsOf, toChange, triedSettings } from './settings-search.ts'

const current = settingsOf({ workers: { min: 0, max: 3, idleTimeout: 5 }, scaling: { type: 'QUEUE_DELAY', queueDelay: 4 } })
const job = (submittedAt: number, runMs?: number): FoundJob => ({
  id: `${submittedAt}`,
  endpoint: { id: 'e', name: 'e' },
  status: 'COMPLETED',
  submittedAt,
  retries: 0,
  ...(runMs !== undefined && { runMs }),
})

it('takes settings to try from the address, within their bounds', () => {
  expect(readPreviewSearch({ min: 1, max: 5000, idle: '5', delay: 2, moon: 1 })).toEqual({ min: 1, delay: 2 })
  expect(triedSettings(current, {})).toEqual(current)
  expect(triedSettings(current, { min: 5, idle: 60, count: 2 })).toEqual({
    workersMin: 5,
    workersMax: 5,
    idleTimeoutMs: 60_000,
    scaling: { type: 'REQUEST_COUNT', requestCount: 2 },
  })
})

it('writes the settings as the API takes them', () => {
  expect(toChange(current)).toEqual({ workers: { min: 0, max: 3, idleTimeout: 5 }, scaling: { type: 'QUEUE_DELAY', queueDelay: 4 } })
})

it('runs the jobs of the window in their order, those that still run as long as usual', () => {
  const found = [job(5000), job(3000, 700), job(2000, 900), job(500, 100), job(2500, 800)]
  const { jobs, forMs } = arrivalsOf(found, { from: 1000, to: 9000 })
  expect(forMs).toBe(8000)
  expect(jobs).toEqual([
    { at: 1000, runMs: 900 },
    { at: 1500, runMs: 800 },
    { at: 2000, runMs: 700 },
    { at: 4000, runMs: 800 },
  ])
})

it('knows how long starts usually took', () => {
  const life = (ready?: number) => ({ times: { placed: 1000, ...(ready !== undefined && { ready }) } })
  expect(usualStartMs([life(3000), life(), life(9000), life(2000)])).toBe(2000)
  expect(usualStartMs([life()])).toBeUndefined()
})

it('knows how many jobs a worker has at a time, and counts time once in which it has several', () => {
  const on = (workerId: string, startedAt: number, runMs: number) => ({ ...job(startedAt, runMs), workerId, startedAt })
  const found = [on('a', 1000, 500), on('a', 1200, 500), on('a', 1700, 100), on('b', 1000, 300)]
  expect(jobsAtOnceOf({ env: {} }, { jobs: found, lives: [{}] })).toBe(2)
  expect(jobsAtOnceOf({ env: {} }, { jobs: found, lives: [{ jobsAtOnce: 5 }, {}] })).toBe(5)
  expect(jobsAtOnceOf({ env: { RUNPOD_MAX_CONCURRENCY: '4' } }, { jobs: found, lives: [{ jobsAtOnce: 5 }] })).toBe(4)
  expect(jobsAtOnceOf({ env: {} }, undefined)).toBe(1)
  expect(outcomeOf(found, [], { from: 0, to: 9000 }).workMs).toBe(1100)
})

it('imagines the same jobs for the same sliders, about as many as asked for', () => {
  const one = imagineArrivals({ perMinute: 6, runMs: 1000 }, 1e12)
  expect(imagineArrivals({ perMinute: 6, runMs: 1000 }, 1e12)).toEqual(one)
  expect(one.jobs.length).toBeGreaterThan(600)
  expect(one.jobs.length).toBeLessThan(850)
  expect(one.jobs.every(({ at, runMs }) => at < one.forMs && runMs >= 500 && runMs <= 2000)).toBe(true)
})
