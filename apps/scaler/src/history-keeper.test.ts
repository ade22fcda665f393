// What the leader adds to the history, tick by tick, with a real store.
import { unpackNumbers, unpackSamples, type EndpointStatus, type EndpointView, type HostView } from '@runyard/core'
import { createLogger } from '@runyard/kit'
import { OutOfUse } from '@runyard/schema'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHistoryKeeper } from './history-keeper.ts'
import { openScalerFixture, type ScalerFixture } from './testing/scaler-fixture.ts'

const log = createLogger({ name: 'history-test', level: 'silent' })
const UUID = 'GPU-6f9619ff-8b86-4011-b42d-00cf4fc964ff'
const MINUTE = 60_000
const HOUR = 3_600_000
/** The beginning of an hour, because what is older than its days is dropped. */
const START = Date.now() - (Date.now() % HOUR)
const ALL = { from: 0, to: START * 2, count: 100 }
let fixture: ScalerFixture
beforeEach(async () => {
  fixture = await openScalerFixture()
})
afterEach(() => fixture[Symbol.asyncDispose]())

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
