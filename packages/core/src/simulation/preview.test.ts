import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { endpoint } from '../testing/plan-fixture.ts'
import { previewScaling, type ScalingSettings } from './preview.ts'
import { runTimeline } from './timeline.ts'

const STEP_MS = 250
const settings = fc
  .record({
    workersMin: fc.nat(2),
    extra: fc.integer({ min: 1, max: 4 }),
    idleTimeoutMs: fc.integer({ min: 1000, max: 30_000 }),
    scaling: fc.oneof(
      fc.record({ type: fc.constant('QUEUE_DELAY' as const), queueDelay: fc.nat(6) }),
      fc.record({ type: fc.constant('REQUEST_COUNT' as const), requestCount: fc.integer({ min: 1, max: 4 }) }),
    ),
  })
  .map(({ extra, ...rest }): ScalingSettings => ({ ...rest, workersMax: rest.workersMin + extra }))
const jobs = fc
  .array(fc.record({ at: fc.nat(90_000), runMs: fc.integer({ min: 1, max: 12_000 }) }), { maxLength: 40 })
  .map((found) => found.toSorted((a, b) => a.at - b.at))
const FOR_MS = 120_000

it('has the workers that the plan decides on at every step, for the same arrivals and settings', () => {
  fc.assert(
    fc.property(settings, jobs, fc.integer({ min: 250, max: 9000 }), (chosen, arrivals, startMs) => {
      const actor = {
        endpoint: endpoint('ep', { settings: { executionTimeoutMs: 0, ...chosen } }),
        startMs,
        jobsAt: arrivals.map(({ at }) => at),
        jobMs: 0,
        runsMs: arrivals.map(({ runMs }) => runMs),
      }
      const line = runTimeline([actor], { cards: chosen.workersMax, forMs: FOR_MS })
      const { workers, coldStarts, waitP95Ms } = previewScaling({ settings: chosen, jobs: arrivals, startMs, forMs: FOR_MS })
      const countAt = (at: number): number => workers.findLast((change) => change.at <= at)?.count ?? 0
      // A step's list was taken after its actions; the last step is the end of the preview, where all are counted out.
      expect(line.workers.slice(0, -1).map((_, step) => countAt(step * STEP_MS))).toEqual(
        line.workers.slice(0, -1).map(({ length }) => length),
      )
      expect(coldStarts).toBe(line.actions.filter(({ kind }) => kind === 'start').length)
      const waits = line.jobs.flatMap(({ submittedAt, startedAt }) => (startedAt === undefined ? [] : [startedAt - submittedAt]))
      expect(waitP95Ms).toBe(waits.toSorted((a, b) => a - b)[Math.ceil(0.95 * waits.length) - 1] ?? null)
    }),
    { numRuns: 60 },
  )
})

it('leaves out only steps in which nothing happens', () => {
  fc.assert(
    fc.property(settings, jobs, (chosen, arrivals) => {
      const actor = { endpoint: endpoint('ep', { settings: chosen }), startMs: 3000, jobsAt: arrivals.map(({ at }) => at), jobMs: 900 }
      const options = { cards: 3, forMs: FOR_MS }
      const every = runTimeline([actor], options)
      const some = runTimeline([actor], { ...options, skips: true })
      expect({ ...some, ready: [], workers: [] }).toEqual({ ...every, ready: [], workers: [] })
    }),
    { numRuns: 60 },
  )
})

it('shows what a longer idle timeout saves and costs', () => {
  const base = { workersMin: 0, workersMax: 2, scaling: { type: 'QUEUE_DELAY' as const, queueDelay: 4 } }
  const every20s = Array.from({ length: 30 }, (_, at) => ({ at: at * 20_000, runMs: 1000 }))
  const of = (idleTimeoutMs: number) =>
    previewScaling({ settings: { ...base, idleTimeoutMs }, jobs: every20s, startMs: 10_000, forMs: 600_000 })
  const [short, long] = [of(5000), of(60_000)]
  expect(short).toMatchObject({ coldStarts: 30, waitP50Ms: 10_000, notStarted: 0, workMs: 30_000 })
  expect(long).toMatchObject({ coldStarts: 1, waitP50Ms: 0, waitP95Ms: 0 })
  expect(long.workerMs).toBeGreaterThan(short.workerMs)
})

it('gives a worker as many jobs at a time as it may have', () => {
  const several = { workersMin: 0, workersMax: 3, idleTimeoutMs: 60_000, scaling: { type: 'QUEUE_DELAY' as const, queueDelay: 4 } }
  const burst = Array.from({ length: 6 }, () => ({ at: 0, runMs: 10_000 }))
  const of = (jobsAtOnce: number) => previewScaling({ settings: several, jobs: burst, jobsAtOnce, startMs: 1000, forMs: 120_000 })
  // 10 s for the first job of each of three workers, and again; one worker has all six within 10 s.
  expect(of(1)).toMatchObject({ coldStarts: 3, workMs: 60_000, notStarted: 0 })
  expect(of(6)).toMatchObject({ coldStarts: 1, workMs: 10_000, waitP95Ms: 1000 })
})

it('is empty without jobs and minimum', () => {
  const none = { workersMin: 0, workersMax: 1, idleTimeoutMs: 5000, scaling: { type: 'QUEUE_DELAY' as const, queueDelay: 4 } }
  expect(previewScaling({ settings: none, jobs: [], startMs: 1000, forMs: 86_400_000 })).toEqual({
    workers: [{ at: 0, count: 0 }],
    waitP50Ms: null,
    waitP95Ms: null,
    coldStarts: 0,
    workerMs: 0,
    workMs: 0,
    notStarted: 0,
  })
})
