// What a gateway answers from what it has kept is what one answers that has just started, whatever happened meanwhile.
import { packSamples, type PastJob } from '@runyard/core'
import { OPERATOR_OWNER, type WorkerLife } from '@runyard/schema'
import { openStore, type Store } from '@runyard/store'
import { startRedis, type TestRedis } from '@runyard/testing'
import { endpointRecord } from '@runyard/testing/records'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openPast, type Past } from '../parts/past.ts'
import { drawTimeline } from './timeline-route.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const scope = new AsyncDisposableStack()
let redis: TestRedis
let store: Store

beforeAll(async () => {
  redis = await startRedis()
  scope.defer(() => redis.stop())
  const options = { redisUrl: redis.url, leaseMs: 40_000, retention: { asyncMs: MINUTE, syncMs: MINUTE } }
  // So small that its oldest goes.
  store = scope.use(await openStore({ ...options, history: { bytes: 40_000, days: 7 } }))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 6 * DAY })
  scope.defer(() => void vi.useRealTimers())
})
afterAll(() => scope.disposeAsync())

const place = fc.nat(3)
const uuidOf = (index: number): string => `GPU-0000000${index}-8b86-4011-b42d-00cf4fc964ff`
const hostOf = (index: number): string => `h${index % 2}`

/** What may happen; times are before now. */
const STEP = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(MINUTE), fc.nat(20 * MINUTE)) }),
  fc.record({
    kind: fc.constant('jobs' as const),
    place,
    count: fc.integer({ min: 1, max: 20 }),
    ms: fc.nat(5 * MINUTE),
    hasFailed: fc.boolean(),
  }),
  // A host that was away for hours says late when its worker exited; a scaler that was interrupted writes a life again.
  fc.record({ kind: fc.constant('life' as const), place, ago: fc.oneof(fc.nat(MINUTE), fc.nat(5 * HOUR)), isAgain: fc.boolean() }),
  fc.record({ kind: fc.constant('readings' as const), load: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('away' as const), place, isHost: fc.boolean() }),
  fc.record({ kind: fc.constant('host' as const), place, isThere: fc.boolean() }),
  fc.record({ kind: fc.constant('restart' as const) }),
  ...Array.from({ length: 3 }, () =>
    fc.record({
      kind: fc.constant('look' as const),
      // Whole steps mostly, as somebody moves; then anywhere.
      back: fc.oneof(
        fc.nat(60).map((minutes) => minutes * MINUTE),
        fc.nat(3 * HOUR),
      ),
      length: fc.constantFrom(20 * MINUTE, 2 * HOUR, 5 * HOUR, DAY),
      px: fc.constantFrom(120, 300, 720),
      gpu: fc.option(place.map(uuidOf), { nil: undefined }),
    }),
  ),
)
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never
type Of<K extends Step['kind']> = Extract<Step, { kind: K }>

let lives: WorkerLife[] = []
let nextId = 0

function lifeOn(index: number, goneAt: number): WorkerLife {
  nextId += 1
  return {
    id: `w${nextId}`,
    endpointId: 'ep-1',
    hostId: hostOf(index),
    host: hostOf(index),
    endpointVersion: 1,
    image: 'i',
    gpus: [{ uuid: uuidOf(index), name: 'L4', simulated: false }],
    startReason: 'first_job',
    createdAt: goneAt - HOUR,
    readyAt: goneAt - 50 * MINUTE,
    drainingSince: goneAt - MINUTE,
    goneAt,
    endReason: 'idle_timeout',
    message: 'it was idle',
  }
}

/** Of the latest worker on the card, which may be gone: its jobs are written later than its life. */
async function addJobs({ place: on, count, ms, hasFailed }: Of<'jobs'>): Promise<void> {
  const worker = lives.findLast(({ gpus }) => gpus[0]?.uuid === uuidOf(on))
  const now = Date.now()
  const status = hasFailed ? 'FAILED' : 'COMPLETED'
  const jobs = Array.from({ length: count }, (_, index): PastJob => {
    const [startedAt, endedAt] = [now - ms - index * 1000, now - index * 1000]
    const ids = { id: `${crypto.randomUUID()}-u1`, endpointId: 'ep-1', workerId: worker?.id ?? 'w0' }
    return { ...ids, status, cause: 'result', submittedAt: startedAt, startedAt, endedAt, retries: 0 }
  })
  await store.history.addJobs(jobs, {})
}

async function addLife({ place: on, ago, isAgain }: Of<'life'>): Promise<void> {
  const goneAt = Date.now() - ago
  const before = lives.at(-1)
  const life = isAgain && before !== undefined ? { ...before, goneAt: Math.max(goneAt, before.goneAt + 1) } : lifeOn(on, goneAt)
  lives.push(life)
  await store.history.addLife(life.id, JSON.stringify(life), life.goneAt)
}

async function addReadings(load: number): Promise<void> {
  const at = Date.now()
  const sample = (index: number) => ({ load: (load + index / 4) % 1, memory: load, powerW: 100 * load, temperatureC: 40 })
  const cards = new Map([0, 1, 2, 3].map((index) => [uuidOf(index), [sample(index)]]))
  for (const kind of ['samples', 'sampleMinutes'] as const) await store.history.add(kind, packSamples({ at, stepMs: MINUTE, cards }), at)
}

async function putAway({ place: on, isHost }: Of<'away'>): Promise<void> {
  const at = Date.now()
  const out = isHost
    ? { cards: [], hosts: [hostOf(on)] }
    : { cards: [{ uuid: uuidOf(on), since: at, cause: 'lost', message: 'it fell off the bus' }], hosts: [] }
  await store.history.add('cardChanges', Buffer.from(JSON.stringify(out)), at)
}

async function changeHost({ place: on, isThere }: Of<'host'>): Promise<void> {
  const hostId = hostOf(on)
  if (!isThere) return store.hosts.forget(hostId)
  const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
  const gpus = [0, 1, 2, 3]
    .filter((index) => hostOf(index) === hostId)
    .map((index) => ({ uuid: uuidOf(index), name: 'L4', memoryBytes: 1000, simulated: false, healthy: true }))
  const inventory = { hostId, kind: 'docker', capabilities, cpuCount: 8, memoryBytes: 64, gpus, cudaVersion: null } as const
  await store.hosts.putSight(hostId, { health: 'ready', label: hostId, kind: 'docker', at: Date.now(), inventory, claims: {} })
}

async function look({ back, length, px, gpu }: Of<'look'>, past: Past): Promise<unknown> {
  const to = Date.now() - back
  const query = { px, group: 'host', from: to - length, to, gpu } as const
  return await drawTimeline({ store, past, workers: store.workers }, OPERATOR_OWNER, query)
}

const ACTS: { readonly [K in Exclude<Step['kind'], 'look' | 'restart'>]: (step: Of<K>) => Promise<unknown> } = {
  wait: async ({ ms }) => vi.setSystemTime(Date.now() + ms),
  jobs: addJobs,
  life: addLife,
  readings: ({ load }) => addReadings(load),
  away: putAway,
  host: changeHost,
}

it('draws the same from what it has kept as after a restart, while history is added, late and again, dropped, and hosts leave', async () => {
  const same = fc.asyncProperty(fc.array(STEP, { minLength: 40, maxLength: 80 }), async (steps) => {
    await redis.flush()
    lives = []
    await store.endpoints.upsert({ id: 'ep-1' }, () => endpointRecord('ep-1', { ownerId: OPERATOR_OWNER }))
    let past = openPast(store.history)
    const looks: unknown[][] = []
    for (const step of steps) {
      if (step.kind === 'restart') past = openPast(store.history)
      else if (step.kind === 'look') looks.push([await look(step, openPast(store.history)), await look(step, past)])
      else await (ACTS[step.kind] as (one: Step) => Promise<unknown>)(step)
    }
    for (const [fresh, kept] of looks) expect(kept).toEqual(fresh)
  })
  await fc.assert(same, { numRuns: 6 })
})
