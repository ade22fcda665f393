import { expect, it } from 'vitest'
import { ticksOf } from './axis.ts'
import { commandOf, isOfPage, moveFocus } from './commands.ts'
import { describeSegment, segmentAt, segmentsOf, workersOf } from './describe.ts'
import { SMALL } from './testing/fixture.ts'
import { layOut } from './layout.ts'
import { sharesOf } from './shares.ts'
import { toPicture } from './picture.ts'
import { panView, placeOf, selectView, showTime, timeAt, windowOf, zoomView, type View } from './view.ts'

const NOW = 10_000_000
const HOUR = 3_600_000
const view: View = { from: NOW - 2 * HOUR, to: NOW - HOUR }

it('counts failed jobs, not the marks of them; only marks where no jobs are listed', () => {
  const picture = toPicture(SMALL)
  const [lane] = picture.lanes
  if (lane === undefined) throw new Error('no lane')
  const retried = { id: 'j2', endpointId: 'e1', status: 'FAILED', from: 56_000, to: 57_000 }
  const jobs = [...(lane.lane.jobs ?? []), retried, { ...retried, id: 'j3' }]
  const countIn = (fields: object) => sharesOf(picture, { ...lane, lane: { ...lane.lane, ...fields } }, SMALL)
  expect(countIn({ jobs })).toMatchObject({ jobs: 3, failed: 2 })
  expect(countIn({ jobs: undefined })).toMatchObject({ jobs: undefined, failed: 1 })
})

it('pans by a part of its length, and not into the future', () => {
  expect(panView(view, -0.5, NOW)).toEqual({ from: view.from - HOUR / 2, to: view.to - HOUR / 2 })
  expect(panView(view, 4, NOW)).toEqual({ from: NOW - HOUR, to: NOW })
})

it('zooms at a place, which stays where it is', () => {
  for (const place of [0, 0.2, 0.77, 1]) {
    for (const factor of [0.01, 0.5, 0.9]) {
      const near = zoomView(view, { factor, place }, NOW)
      expect(placeOf(near, timeAt(view, place))).toBeCloseTo(place)
    }
  }
  expect(zoomView(view, { factor: 1e9, place: 0.5 }, NOW).to).toBe(NOW)
  const nearest = zoomView(view, { factor: 1e-9, place: 0.5 }, NOW)
  expect(nearest.to - nearest.from).toBe(2000)
})

it('makes a view of a selection in any direction, and none of a click', () => {
  expect(selectView(view, 0.5, 0.25)).toEqual({ from: view.from + HOUR / 4, to: view.from + HOUR / 2 })
  expect(selectView(view, 0.5, 0.5001)).toBeUndefined()
})

it('moves as little as it takes to show a time', () => {
  expect(showTime(view, view.from + 1, NOW)).toEqual(view)
  expect(placeOf(showTime(view, view.from - HOUR, NOW), view.from - HOUR)).toBeCloseTo(0.1)
})

it('asks for a window around the view, which small moves do not change', () => {
  const asked = windowOf(view, 1000)
  expect(asked.from).toBeLessThanOrEqual(view.from)
  expect(asked.to).toBeGreaterThanOrEqual(view.to)
  expect(asked.px / (asked.to - asked.from)).toBeCloseTo(1000 / HOUR)
  expect(asked.px).toBeLessThanOrEqual(1500)
  const moves = new Set(
    Array.from({ length: 20 }, (_, index) => windowOf({ from: view.from + index * 1000, to: view.to + index * 1000 }, 1000).from),
  )
  expect(moves.size).toBeLessThanOrEqual(2)
})

it('has marks at round times, so few that their words do not touch', () => {
  const day = { from: Date.UTC(2026, 10, 29, 12, 7), to: Date.UTC(2026, 10, 30, 12, 7) }
  const ticks = ticksOf(day, 900, 'utc')
  expect(ticks.map(({ label }) => label)).toEqual(['15:00', '18:00', '21:00', '11-30', '03:00', '06:00', '09:00', '12:00'])
  expect(ticksOf(day, 200, 'utc')).toHaveLength(2)
  expect(ticksOf({ from: day.from, to: day.from + 20_000 }, 900, 'utc')[0]?.label).toBe('12:07:00')
})

const picture = toPicture(SMALL)
const [lane] = picture.lanes
if (lane === undefined) throw new Error('the fixture has a lane')
const clock = (at: number): string => new Date(at).toISOString().slice(14, 19)

it('says what is at a time of a lane', () => {
  expect(describeSegment(lane.lane, segmentAt(picture, lane, 45_000), clock)).toBe(
    'box · 0, 00:40 to 01:00, busy, endpoint caption, 2 jobs, 1 failed',
  )
  expect(describeSegment(lane.lane, segmentAt(picture, lane, 5000), clock)).toBe('box · 0, 00:00 to 00:10, free')
  expect(describeSegment(lane.lane, segmentAt(picture, lane, 500_000), clock)).toBe('box · 0, nothing is known of this time')
})

it('cuts a lane into runs of one phase, which together are all that is known of it', () => {
  const segments = segmentsOf(picture, lane)
  expect(segments.map(({ phase }) => phase)).toEqual(['free', 'pulling', 'starting', 'idle', 'busy', 'idle', 'draining', 'free'])
  expect(segments.at(-1)?.to).toBe(SMALL.to)
  for (const [index, { to }] of segments.slice(0, -1).entries()) expect(segments[index + 1]?.from).toBe(to)
  const early = toPicture({ ...SMALL, now: 42_000 })
  expect(segmentsOf(early, early.lanes[0] ?? lane).at(-1)).toMatchObject({ phase: 'busy', to: 42_000 })
  expect(workersOf(lane)[0]?.span).toEqual({ from: 10_000, to: 90_000 })
})

it('moves by keys: time, lane, worker, failure', () => {
  const layout = layOut(['box', 'box'], { room: 500 })
  const around = { picture, layout, now: 100_000 }
  const start = { view: { from: 0, to: 100_000 }, row: 0, at: 50_000 }
  const press = (key: string, from = start) => {
    const command = commandOf(key)
    return command === undefined || isOfPage(command) || command.kind === 'open' ? undefined : moveFocus(from, command, around)
  }
  expect(press('ArrowDown')?.row).toBe(1)
  expect(press('ArrowUp')?.row).toBe(0)
  expect(press('+')?.view).toEqual({ from: 25_000, to: 75_000 })
  expect(press('ArrowLeft', { ...start, view: { from: 20_000, to: 60_000 }, at: 40_000 })).toEqual({
    row: 0,
    at: 35_000,
    view: { from: 15_000, to: 55_000 },
  })
  expect(press(']', { ...start, at: 0 })?.at).toBe(10_001)
  expect(press('[', { ...start, at: 95_000 })?.at).toBe(10_001)
  expect(press('f', { ...start, at: 0 })).toMatchObject({ row: 0, at: 52_500 })
  expect(press('f', { ...start, row: 1 })).toMatchObject({ row: 0, at: 52_500 })
  expect(press('x')).toBeUndefined()
  expect(commandOf('2')).toEqual({ kind: 'span', span: '1h' })
})
