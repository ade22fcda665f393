// What the leader adds to the history, tick by tick, with a real store.
import { unpackNumbers, unpackSamples, type EndpointStatus, type EndpointView, type HostView } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { OutOfUse } from '@runyard/schema'
import { expect, vi } from 'vitest'
import { createHistoryKeeper, type HistoryKeeper } from './history-keeper.ts'
import { fixture, test as it } from './testing/scaler-test.ts'

const log = createLogger({ name: 'history-test', level: 'silent' })
const UUID = 'GPU-6f9619ff-8b86-4011-b42d-00cf4fc964ff'
const MINUTE = 60_000
const HOUR = 3_600_000
/** The beginning of an hour, because what is older than its days is dropped. */
const START = Date.now() - (Date.now() % HOUR)
const ALL = { from: 0, to: START * 2, count: 100 }

const gpu = { uuid: UUID, name: 'NVIDIA L4', memoryBytes: 1000, simulated: false, healthy: true }
const load = (utilization: number) => ({ utilization, temperatureC: 60, powerW: 70.5, powerLimitW: null })
const host = (utilization: number, more: object = {}) =>
  ({
    hostId: 'h1',
    workers: [],
    inventory: { gpus: [gpu] },
    uses: { [UUID]: { usedBytes: 250, load: load(utilization) } },
    ...more,
  }) as unknown as HostView
const view = (waiting: number, more: object = {}) =>
  ({ endpointId: 'ep-one', demand: { waiting, oldestWaitingAt: START }, workers: [], leases: [], ...more }) as unknown as EndpointView
const seen = (one: HostView, endpoints: readonly EndpointView[] = [], status?: Partial<EndpointStatus>) => ({
  observed: { hosts: [one], endpoints },
  statuses: new Map(status === undefined ? [] : [['ep-one', status as EndpointStatus]]),
})

it('keeps a minute of readings of each card, and their mean', async () => {
  const keeper = createHistoryKeeper({ store: fixture.store, log })
  for (const [index, utilization] of [0.5, 0.7, 0.9].entries()) await keeper.note(seen(host(utilization)), START + index * 10_000)
  await keeper.note(seen(host(0.1)), START + 15_000)
  await keeper.note(seen(host(0.1, { workers: undefined })), START + MINUTE)
  const [chunk] = await fixture.store.history.chunks('samples', ALL)
  const found = unpackSamples(chunk?.bytes ?? new Uint8Array())
  expect(found).toMatchObject({ at: START, stepMs: 10_000 })
  expect(found?.cards.get(UUID)?.map((sample) => sample?.load ?? null)).toEqual([0.5, 0.7, 0.9, null, null, null])
  const [mean] = await fixture.store.history.chunks('sampleMinutes', ALL)
  const expected = { load: expect.closeTo(0.7), memory: 0.25, powerW: 70.5, temperatureC: 60 }
  expect(unpackSamples(mean?.bytes ?? new Uint8Array())?.cards.get(UUID)).toEqual([expected])
})

it('keeps which cards and hosts are out of use, when that changes', async () => {
  const keeper = createHistoryKeeper({ store: fixture.store, log })
  await keeper.note(seen(host(0)), START)
  await keeper.note(seen(host(0)), START + 10_000)
  const fault = { cause: 'lost', message: 'it fell off the bus' } as const
  const claim = { kind: 'quarantined' as const, since: START, quarantines: [], ...fault }
  await fixture.store.cards.putClaim({ uuid: UUID, claimText: '' }, claim)
  await keeper.note(seen(host(0, { workers: undefined })), START + 20_000)
  const changes = await fixture.store.history.chunks('cardChanges', ALL)
  const card = { uuid: UUID, since: START, cause: 'lost', message: 'it fell off the bus' }
  expect(changes.map(({ at, bytes }) => ({ at, ...OutOfUse.parse(JSON.parse(Buffer.from(bytes).toString())) }))).toEqual([
    { at: START, cards: [], hosts: [] },
    { at: START + 20_000, cards: [card], hosts: ['h1'] },
  ])
})

it('adds up minutes and hours of an endpoint from what it saw and from the jobs that ended', async () => {
  const { store } = fixture
  const keeper = createHistoryKeeper({ store, log })
  const job = {
    endpointId: 'ep-one',
    cause: 'result',
    retries: 0,
    submittedAt: START,
    startedAt: START + 100,
    endedAt: START + 400,
  } as const
  await store.history.addJobs([{ ...job, id: 'a1', status: 'COMPLETED' }], {})
  await keeper.note(seen(host(0), [view(0)]), START)
  await keeper.note(seen(host(0), [view(7)], { throttled: 2, reason: 'gpus_busy' }), START + 30_000)
  await store.history.addJobs([{ ...job, id: 'a2', status: 'FAILED', endedAt: START + 50_000 }], {})
  await keeper.note(seen(host(0), [view(3)]), START + MINUTE)
  await keeper.note(seen(host(0), [view(1)]), START + 60 * MINUTE)
  await keeper.note(seen(host(0), []), START + 62 * MINUTE)
  const [first] = await store.history.chunks('minutes', ALL)
  const numbers = { accepted: 8, completed: 1, failed: 1, queue: 7, oldestS: 30, throttled: 2, reason: 'gpus_busy' }
  expect(unpackNumbers(first?.bytes ?? new Uint8Array())).toMatchObject({
    at: START,
    rows: new Map([['ep-one', expect.objectContaining(numbers)]]),
  })
  const [hour] = await store.history.chunks('hours', ALL)
  expect(unpackNumbers(hour?.bytes ?? new Uint8Array())?.rows.get('ep-one')).toMatchObject({ completed: 1, failed: 1, queue: 7 })
})

it('counts as accepted also what came between the last look of a minute and the first of the next', async () => {
  const keeper = createHistoryKeeper({ store: fixture.store, log })
  await keeper.note(seen(host(0), [view(0)]), START)
  await keeper.note(seen(host(0), [view(10)]), START + 59_000)
  await keeper.note(seen(host(0), [view(60)]), START + MINUTE)
  await keeper.note(seen(host(0), [view(75)]), START + MINUTE + 59_000)
  await keeper.note(seen(host(0), [view(75)]), START + 3 * MINUTE)
  const minutes = await fixture.store.history.chunks('minutes', ALL)
  expect(minutes.map(({ bytes }) => unpackNumbers(bytes)?.rows.get('ep-one')?.accepted)).toEqual([10, 65])
})

it('counts a job as accepted once that ends between the last look of a minute and the first of the next', async () => {
  const { store } = fixture
  const keeper = createHistoryKeeper({ store, log })
  const job = { id: 'a1', endpointId: 'ep-one', status: 'CANCELLED', cause: 'purged', retries: 0, submittedAt: START + 1000 } as const
  await keeper.note(seen(host(0), [view(0)]), START)
  await keeper.note(seen(host(0), [view(1)]), START + 30_000)
  await store.history.addJobs([{ ...job, endedAt: START + 45_000 }], {})
  for (const second of [60, 90, 120, 150, 200]) await keeper.note(seen(host(0), [view(0)]), START + second * 1000)
  const minutes = await store.history.chunks('minutes', ALL)
  const rows = minutes.map(({ bytes }) => unpackNumbers(bytes)?.rows.get('ep-one'))
  expect(rows.map((row) => [row?.accepted, row?.cancelled])).toEqual([[1, 1]])
})

it('reads and writes the first half of a minute once, also if it is empty or cannot be written', async () => {
  const { history } = fixture.store
  const warn = vi.spyOn(log, 'warn')
  const jobs = vi.spyOn(history, 'jobs')
  const replace = vi.spyOn(history, 'replace')
  try {
    const keeper = createHistoryKeeper({ store: fixture.store, log })
    for (let second = 0; second < 60; second += 1) await keeper.note(seen(host(0)), START + second * 1000)
    expect(jobs).toHaveBeenCalledTimes(1)
    await keeper.note(seen(host(0), [view(1)]), START + 70_000)
    replace.mockRejectedValueOnce(new Error('Redis is away'))
    for (let second = 90; second < 120; second += 1) await keeper.note(seen(host(0, { workers: undefined })), START + second * 1000)
    expect(warn).toHaveBeenCalledTimes(1)
    await keeper.note(seen(host(0)), START + 3 * MINUTE)
    expect((await readMinutes()).map(({ queue }) => queue)).toEqual([1])
  } finally {
    vi.restoreAllMocks()
  }
})

/** Each second one more job waits, each fifth second one ends; its second is its id. */
async function live(keeper: HistoryKeeper, second: number, begin: number): Promise<void> {
  const now = begin + second * 1000
  if (second % 5 === 0) {
    const job = { endpointId: 'ep-one', cause: 'result', retries: 0, submittedAt: now - 400, startedAt: now - 300, endedAt: now } as const
    await fixture.store.history.addJobs([{ ...job, id: `a${second}`, status: 'COMPLETED' }], {})
  }
  await keeper.note(seen(host(0.5), [view(second)]), now)
}

const readMinutes = async () => {
  const chunks = await fixture.store.history.chunks('minutes', ALL)
  return chunks.flatMap(({ bytes }) => [...(unpackNumbers(bytes)?.rows.values() ?? [])])
}

/** When the stored readings were taken. */
async function readSampleTimes(): Promise<readonly number[]> {
  const chunks = await fixture.store.history.chunks('samples', ALL)
  return chunks.flatMap(({ bytes }) => {
    const { at = 0, stepMs = 0, cards } = unpackSamples(bytes) ?? {}
    return (cards?.get(UUID) ?? []).flatMap((sample, index) => (sample === null ? [] : [at + index * stepMs]))
  })
}

it('has written all but the last minute, at whatever second it is killed', async () => {
  const keeper = createHistoryKeeper({ store: fixture.store, log })
  for (let second = 0; second <= 200; second += 1) {
    await live(keeper, second, START)
    const [minutes, times] = [await readMinutes(), await readSampleTimes()]
    const seenUntil = Math.max(0, ...minutes.map(({ queue }) => queue))
    const readUntil = Math.max(START, ...times)
    expect({ second, isSeen: seenUntil >= second - 60, isRead: readUntil > START + second * 1000 - MINUTE }).toEqual({
      second,
      isSeen: true,
      isRead: true,
    })
    // What ended is in the numbers, too.
    expect(minutes.reduce((sum, { completed }) => sum + completed, 0) * 5).toBeGreaterThanOrEqual(second - 60)
  }
})

it('goes on where a killed leader stopped: each job and each reading counts once, in its minute and its hour', async () => {
  const begin = START - 4 * MINUTE
  let keeper = createHistoryKeeper({ store: fixture.store, log })
  const kills = new Set([40, 62, 130, 235, 245])
  for (let second = 0; second < 480; second += 1) {
    if (kills.has(second)) keeper = createHistoryKeeper({ store: fixture.store, log })
    // There is no leader for a minute and a half; the gateway goes on.
    if (second > 300 && second < 390) {
      const ended = { endpointId: 'ep-one', cause: 'result', retries: 0, submittedAt: START, endedAt: begin + second * 1000 } as const
      if (second % 5 === 0) await fixture.store.history.addJobs([{ ...ended, id: `b${second}`, status: 'COMPLETED' }], {})
    } else {
      if (second === 390) keeper = createHistoryKeeper({ store: fixture.store, log })
      await live(keeper, second, begin)
    }
  }
  await keeper.note(seen(host(0)), START + HOUR + MINUTE)
  await keeper.note(seen(host(0), [view(0)]), START + HOUR + 3 * MINUTE)
  await keeper.note(seen(host(0)), START + HOUR + 5 * MINUTE)
  expect((await readMinutes()).reduce((sum, { completed }) => sum + completed, 0)).toBe(480 / 5)
  const times = await readSampleTimes()
  expect(new Set(times).size).toBe(times.length)
  const hours = (await fixture.store.history.chunks('hours', ALL)).map(({ bytes }) => unpackNumbers(bytes))
  expect(hours.map((hour) => [hour?.at, hour?.rows.get('ep-one')?.completed])).toEqual([
    [START - HOUR, 240 / 5],
    [START, 240 / 5],
  ])
})
