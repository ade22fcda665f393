import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { buildReadingColumns, meanSample, packSamples, unpackSamples, type CardSample, type CardSamples } from './card-samples.ts'
import { addNumbers, NO_NUMBERS, numbersOf, packNumbers, quantileOf, unpackNumbers, type EndpointNumbers } from './endpoint-numbers.ts'
import { packJobs, type PastJob } from './ended-jobs.ts'
import { buildJobColumns, type ColumnJob } from './job-columns.ts'
import { LANE_PHASES } from './lane-columns.ts'
import { gridOf, sumJobs } from './job-sums.ts'
import { createLanes, readingPxOf, type TimelineInput, type TimelineWorker } from './timeline.ts'

const UUID = 'GPU-6f9619ff-8b86-4011-b42d-00cf4fc964ff'
const card = { uuid: UUID, hostId: 'h1' }
const worker: TimelineWorker = {
  id: 'w1',
  endpointId: 'e1',
  hostId: 'h1',
  gpus: [{ uuid: UUID, name: 'L4', simulated: false }],
  createdAt: 10,
  readyAt: 20,
  drainingSince: 80,
  goneAt: 90,
}
const job = (startedAt: number, endedAt: number, status: PastJob['status'] = 'COMPLETED'): ColumnJob => ({
  id: 'j1',
  endpointId: 'e1',
  status,
  workerId: 'w1',
  startedAt,
  endedAt,
})
interface Drawing extends Partial<TimelineInput> {
  readonly jobs?: readonly ColumnJob[]
  readonly samples?: readonly CardSamples[]
}

function draw({ jobs = [], samples = [], ...more }: Drawing) {
  const lanes = createLanes({ range: { from: 0, to: 100 }, px: 10, now: 100, cards: [card], workers: [worker], absences: [], ...more })
  const columns = buildJobColumns()
  for (const one of jobs) columns.addJob(one)
  lanes.addJobs(columns.finish())
  const readings = buildReadingColumns()
  for (const one of samples) readings.addChunk(packSamples(one))
  lanes.addReadings(readings.finish())
  return lanes.draw(0)
}

it('draws the phase that took most of each pixel', () => {
  expect(draw({}).phases).toBe('.siiiiiid.')
  expect(draw({ jobs: [job(30, 50), job(62, 70)] }).phases).toBe('.sibbibid.')
  expect(draw({ jobs: [job(30, 33)] }).phases).toBe('.siiiiiid.')
  expect(
    draw({
      absences: [
        { uuid: UUID, from: 90, to: 100 },
        { hostId: 'h2', from: 0, to: 50 },
      ],
    }).phases,
  ).toBe('.siiiiiidq')
  expect(draw({ workers: [], absences: [{ hostId: 'h1', from: 40, to: 60 }] }).phases).toBe('....uu....')
})

it('shows an image pull as a step of its own where it took a second or more', () => {
  const wide = { range: { from: 0, to: 10_000 }, now: 10_000 }
  const slow = { ...worker, createdAt: 1000, imageReadyAt: 4000, readyAt: 6000, drainingSince: 8000, goneAt: 9000 }
  expect(draw({ ...wide, workers: [slow] }).phases).toBe('.pppssiid.')
  expect(draw({ ...wide, workers: [{ ...slow, imageReadyAt: 1900 }] }).phases).toBe('.sssssiid.')
})

it('marks a pixel with a failed job, however short', () => {
  expect(draw({ jobs: [job(30, 31, 'FAILED'), job(32, 33), job(35, 36, 'FAILED'), job(150, 160, 'FAILED')] }).failed).toEqual([3])
})

it('draws a worker that is still there up to now, and nothing after', () => {
  const { drainingSince: _d, goneAt: _g, ...there } = worker
  expect(draw({ workers: [there], now: 60 }).phases).toBe('.siiii....')
})

it('draws load and memory where they are known', () => {
  const sample = { load: 1, memory: 0.5, powerW: null, temperatureC: null }
  const samples = [{ at: 20, stepMs: 10, cards: new Map([[UUID, [sample, null, { ...sample, load: 0 }]]]) }]
  expect(draw({ samples })).toMatchObject({ load: '--z-0-----', memory: '--i-i-----', power: '----------' })
})

it('draws power as a share of the limit of the card', () => {
  const sample = { load: 1, memory: 0.5, powerW: 150, temperatureC: null }
  const samples = [{ at: 20, stepMs: 10, cards: new Map([[UUID, [sample]]]) }]
  expect(draw({ samples, cards: [{ ...card, powerLimitW: 300 }] })?.power).toBe('--i-------')
})

it('spends fewer digits on readings where many cards are drawn wide', () => {
  const cards = Array.from({ length: 64 }, (_, index) => ({ ...card, uuid: `c${index}` }))
  const lane = draw({ cards, px: 1440 })
  expect(readingPxOf({ cards, px: 1440 })).toBe(7)
  expect([lane.phases.length, lane.load.length]).toEqual([1440, 206])
})

it('is as wide as it is asked for, whatever happened', () => {
  const time = fc.integer({ min: -50, max: 200 })
  const anyJob = fc
    .tuple(time, time, fc.constantFrom('COMPLETED' as const, 'FAILED' as const))
    .map(([from, to, status]) => job(from, to, status))
  const anyInput = fc.record({
    px: fc.integer({ min: 1, max: 50 }),
    jobs: fc.array(anyJob),
    absences: fc.array(fc.record({ from: time, to: time, uuid: fc.constant(UUID) })),
  })
  const wide = fc.property(anyInput, (input) => {
    const lane = draw(input)
    for (const text of [lane.phases, lane.load, lane.memory]) expect(text).toHaveLength(input.px)
    expect(lane.failed.every((column) => column >= 0 && column < input.px)).toBe(true)
  })
  fc.assert(wide)
})

/** Column by column from the jobs as objects. */
function drawPlainly(jobs: readonly PastJob[], { px, to }: { readonly px: number; readonly to: number }) {
  const ran = jobs.flatMap(({ workerId, startedAt, endedAt, status }) =>
    workerId === 'w1' && startedAt !== undefined ? [{ startedAt, endedAt, status }] : [],
  )
  const wide = to / px
  const columns = Array.from({ length: px }, (_, index) => ({ left: index * wide, right: (index + 1) * wide }))
  const phases = columns.map(({ left, right }) => {
    const spent = ran.reduce((sum, { startedAt, endedAt }) => sum + Math.max(0, Math.min(endedAt, right) - Math.max(startedAt, left)), 0)
    return Math.min(wide, spent) >= wide / 2 ? LANE_PHASES.busy : LANE_PHASES.idle
  })
  const ends = ran.filter(({ status }) => status === 'FAILED').map(({ endedAt }) => endedAt)
  const failed = columns.flatMap(({ left, right }, index) => (ends.some((at) => at >= left && at < right) ? [index] : []))
  const count = ran.filter(({ startedAt, endedAt }) => startedAt < to && endedAt >= 0).length
  return { phases: phases.join(''), failed, count }
}

it('draws from packed chunks what it would draw from their jobs', () => {
  const uuid = fc.uuid().map((id) => `${id}-u1`)
  const anyJob = fc
    .record({ id: uuid, from: fc.integer({ min: 1, max: 500 }), ran: fc.integer({ min: 0, max: 120 }), isStarted: fc.boolean() })
    .chain(({ id, from, ran, isStarted }) =>
      fc
        .record({ status: fc.constantFrom('COMPLETED' as const, 'FAILED' as const), workerId: fc.constantFrom('w1', 'w2') })
        .map((more): PastJob => ({
          ...more,
          id,
          endpointId: 'e1',
          cause: 'result',
          retries: 0,
          submittedAt: 0,
          endedAt: from + ran,
          ...(isStarted ? { startedAt: from } : {}),
        })),
    )
  const warm = { ...worker, createdAt: 0, readyAt: 0, drainingSince: 1000, goneAt: 1000 }
  const same = fc.property(fc.array(fc.array(anyJob, { maxLength: 8 }), { maxLength: 5 }), fc.constantFrom(1, 4, 40), (chunks, px) => {
    const range = { from: 0, to: 400 }
    const lanes = createLanes({ range, px, now: 1000, cards: [card], workers: [warm], absences: [] })
    const columns = buildJobColumns()
    for (const jobs of chunks) columns.addChunk(packJobs(jobs))
    const packed = columns.finish()
    const jobs = chunks.flat()
    const { phases, failed, count } = drawPlainly(jobs, { px, to: 400 })
    expect(lanes.addJobs(packed)).toBe(count)
    expect(lanes.draw(0)).toMatchObject({ phases, failed })
    expect(lanes.list([packed])[0]).toHaveLength(count)
    const listed = lanes.list([packed])[0] ?? []
    expect(jobs).toEqual(expect.arrayContaining(listed.map((one) => expect.objectContaining(one))))
  })
  fc.assert(same)
})

it('gives back the readings of cards, rounded', () => {
  const unit = fc.option(fc.double({ min: 0, max: 1, noNaN: true }))
  const reading: fc.Arbitrary<CardSample | null> = fc.option(
    fc.record({
      load: unit,
      memory: unit,
      powerW: fc.option(fc.double({ min: 0, max: 2000, noNaN: true })),
      temperatureC: fc.option(fc.integer({ min: 0, max: 120 })),
    }),
  )
  const roundTrip = fc.property(
    fc.array(reading, { maxLength: 6 }),
    fc.constantFrom(UUID, 'MIG-1', 'GPU-simulated-1'),
    (readings, uuid) => {
      const cards = new Map([[uuid, readings]])
      const back = unpackSamples(packSamples({ at: 7, stepMs: 10_000, cards }))
      expect(back).toMatchObject({ at: 7, stepMs: 10_000 })
      const found = back?.cards.get(uuid) ?? []
      expect(found).toHaveLength(readings.length)
      const valuesOf = (samples: readonly (CardSample | null)[]) =>
        samples.flatMap((sample) => [sample?.load ?? -1, sample?.memory ?? -1, sample?.powerW ?? -1, sample?.temperatureC ?? -1])
      const errors = valuesOf(readings).map((value, index) => Math.abs(value - (valuesOf(found)[index] ?? Infinity)))
      expect(Math.max(0, ...errors)).toBeLessThan(0.06)
    },
  )
  fc.assert(roundTrip)
  expect(meanSample([null, null])).toBeNull()
})

const past = (waited: number, ran: number, status: 'COMPLETED' | 'FAILED' = 'COMPLETED') =>
  numbersOf({ id: 'j', endpointId: 'e', status, cause: 'result', submittedAt: 0, startedAt: waited, endedAt: waited + ran, retries: 1 })

it('adds numbers up in any order, and gives them back', () => {
  const rows = [past(5, 1000), past(500, 40, 'FAILED'), { ...NO_NUMBERS, queue: 4, reason: 'gpus_busy' }, { ...NO_NUMBERS, queue: 9 }]
  const sum = rows.reduce((one, other) => addNumbers(one, other))
  const counted = ({ waits: _w, runs: _r, ...rest }: EndpointNumbers) => rest
  expect(counted(sum)).toEqual(counted(rows.toReversed().reduce((one, other) => addNumbers(one, other))))
  expect(sum).toMatchObject({ completed: 1, failed: 1, retried: 2, queue: 9, reason: 'gpus_busy' })
  expect(unpackNumbers(packNumbers(60, new Map([['e', sum]])))).toEqual({ at: 60, rows: new Map([['e', sum]]) })
})

it('finds quantiles within their place', () => {
  const many = Array.from({ length: 100 }, (_, index) => past((index + 1) * 10, 1)).reduce((one, other) => addNumbers(one, other))
  expect(quantileOf(many.waits, 0.5)).toBeGreaterThan(320)
  expect(quantileOf(many.waits, 0.5)).toBeLessThan(640)
  expect(quantileOf(many.waits, 0.99)).toBeGreaterThan(900)
  expect(quantileOf([], 0.5)).toBeUndefined()
})

it('finds no quantile outside of what there was', () => {
  const three = [past(9100, 2100), past(40, 2150), past(60, 2200)].reduce(addNumbers)
  const bounds = { min: three.runMin, max: three.runMax }
  expect([quantileOf(three.runs, 0.5, bounds), quantileOf(three.runs, 0.01, bounds)]).toEqual([2100, 2100])
  expect(quantileOf(three.waits, 0.95, { min: three.waitMin, max: three.waitMax })).toBe(9100)
  expect([three.waitMin, addNumbers(three, NO_NUMBERS).waitMin, addNumbers(NO_NUMBERS, three).waitMin]).toEqual([40, 40, 40])
})

it('uses the sums of a block again for ranges that are whole columns apart, and makes none for a range that cuts it', () => {
  const HOUR = 3_600_000
  const [start, length, px] = [1_764_000_000_000, 7 * HOUR, 1368]
  const builder = buildJobColumns()
  builder.addJob(job(start + HOUR, start + 2 * HOUR))
  const block = builder.finish()
  const sumsAt = (eighths: number) => {
    const from = start + (eighths * length) / 8
    const range = { from, to: from + length }
    return sumJobs(block, gridOf(range, px), range)
  }
  const sums = sumsAt(1)
  expect(sums).toBeDefined()
  for (let eighths = 0; eighths > -6; eighths -= 1) expect(sumsAt(eighths)).toBe(sums)
  expect([sumsAt(-6), sumsAt(2)]).toEqual([undefined, undefined])
})

it('draws the same from the sums of a block as from its jobs one by one, however often and wherever it looks', () => {
  const MINUTE = 60_000
  const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 99 * MINUTE }), fc.integer({ min: 0, max: 5 * MINUTE }), fc.boolean()), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 20 }), (jobs, shift) => {
      const builder = buildJobColumns()
      for (const [from, ms, hasFailed] of jobs) builder.addJob(job(from, from + ms, hasFailed ? 'FAILED' : 'COMPLETED'))
      const block = builder.finish()
      const input = { px: 100, now: 200 * MINUTE, cards: [card], workers: [{ ...worker, goneAt: 100 * MINUTE }], absences: [] }
      const drawn = (blocks: readonly (typeof block)[]) => {
        const lanes = createLanes({ ...input, range: { from: -shift * MINUTE, to: (105 - shift) * MINUTE } })
        const counts = blocks.map((one) => lanes.addJobs(one))
        return [counts.reduce((sum, count) => sum + count, 0), lanes.draw(0).phases, lanes.draw(0).failed]
      }
      const singly = jobs.map(([from, ms, hasFailed]) => {
        const one = buildJobColumns()
        one.addJob(job(from, from + ms, hasFailed ? 'FAILED' : 'COMPLETED'))
        // One that still runs, after the range, keeps a block from being summed.
        one.addJob({ ...job(1e9, 1e9), endedAt: undefined })
        return one.finish()
      })
      const expected = drawn(singly)
      expect([drawn([block]), drawn([block])]).toEqual([expected, expected])
    }),
  )
})
