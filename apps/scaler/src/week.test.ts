// A week of a pool in which workers crash, releases change, hosts are lost and the scaler starts again: what the ledger has of each worker is the time from
// its placement to its end, without gap and without overlap, and what a gateway answers about usage is the sum of it.
import { buildPublicApp, openGateway } from '@runyard/gateway'
import { createLogger } from '@runyard/kit'
import { Config, WorkerLife, type LedgerRow, type WorkerRecord } from '@runyard/schema'
import type { UsageView } from '@runyard/schema/api'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { Scaler } from './scaler.ts'
import { endpointOf, fixture, test as it } from './testing/scaler-test.ts'

const DAY_MS = 24 * 3_600_000
const WEEK_MS = 7 * DAY_MS
const ON_CARD = { gpuType: 'NVIDIA GeForce RTX 4090', gpuCount: 1 }
const WAIT = { timeout: 30_000, interval: 5 }
const STEPS = ['crash', 'update', 'host away', 'host back', 'restart', 'no first contact', 'quiet'] as const
type Step = (typeof STEPS)[number]

let scaler: Scaler
beforeEach(async () => {
  scaler = await fixture.open()
})
afterEach(() => void vi.useRealTimers())

const workersOf = (endpointId: string) => fixture.store.workers.list(endpointId)

/** As the gateway hears from workers that live. A host that is cut off is so with its workers; where only the engine stays away, they are heard. */
async function hear(endpointId: string, step: Step): Promise<void> {
  if (step === 'host away') return
  const at = Date.now()
  for (const { id: workerId, readyAt, containerStartedAt } of await workersOf(endpointId)) {
    const isHeard = fixture.host.observed.get(workerId)?.state === 'running' && containerStartedAt !== undefined
    if (!isHeard || (readyAt === undefined && step === 'no first contact')) continue
    if (readyAt === undefined) await fixture.store.ledger.transition({ workerId, endpointId, ...ON_CARD, state: 'running', at })
    await fixture.store.workers.patch({ endpointId, workerId, fields: { readyAt: readyAt ?? at, lastSeenAt: at } })
  }
}

const hasStarted = ({ containerStartedAt }: WorkerRecord): boolean => containerStartedAt !== undefined

/** Until both workers run, or something keeps them from it for five minutes. */
async function settle(endpointId: string, step: Step): Promise<void> {
  for (let look = 0; look < 30; look += 1) {
    await scaler.loop.tick()
    const running = (await workersOf(endpointId)).filter(hasStarted)
    if (running.length === 2 || fixture.host.problem.list !== undefined) return
    // The clock stands still while a container starts.
    await vi.waitFor(async () => expect((await workersOf(endpointId)).map(hasStarted)).not.toContain(false), WAIT)
    vi.setSystemTime(Date.now() + 10_000)
    await hear(endpointId, step)
  }
}

async function take(step: Step, endpointId: string, release: number): Promise<void> {
  const { host } = fixture
  if (step === 'crash' && host.problem.list === undefined) await crash(endpointId)
  if (step === 'update') await save(endpointId, release)
  if (step === 'host away') host.problem.list = 'no route to host'
  if (step === 'host back') delete host.problem.list
  if (step !== 'restart') return
  await scaler[Symbol.asyncDispose]()
  scaler = await fixture.open()
}

/** Until the scaler has seen it, before hours pass. */
async function crash(endpointId: string): Promise<void> {
  const crashed = (await workersOf(endpointId)).find(hasStarted)
  if (crashed === undefined) return
  fixture.host.die(crashed.id, 139)
  await vi.waitFor(async () => {
    vi.setSystemTime(Date.now() + 1000)
    await scaler.loop.tick()
    expect((await workersOf(endpointId)).map(({ id }) => id)).not.toContain(crashed.id)
  }, WAIT)
}

async function save(id: string, release: number): Promise<void> {
  const settings = { workersMin: 2, workersMax: 2 }
  await fixture.store.endpoints.upsert({ id }, () => endpointOf(id, { settings, hash: `hash-${release}` }))
}

/** Until the workers of the host are given up, which takes looks at it that fail. */
async function lose(endpointId: string): Promise<void> {
  await vi.waitFor(async () => {
    vi.setSystemTime(Date.now() + 1000)
    await scaler.loop.tick()
    expect(await workersOf(endpointId)).toEqual([])
  }, WAIT)
}

async function liveAWeek(endpointId: string, steps: readonly Step[]): Promise<void> {
  for (const [release, step] of steps.entries()) {
    await take(step, endpointId, release)
    await settle(endpointId, step)
    await hear(endpointId, step)
    vi.setSystemTime(Date.now() + WEEK_MS / steps.length)
    await hear(endpointId, step)
    await scaler.loop.tick()
    if (step === 'host away') await lose(endpointId)
  }
  delete fixture.host.problem.list
  await fixture.store.endpoints.delete(endpointId)
  await vi.waitFor(async () => {
    vi.setSystemTime(Date.now() + 1000)
    await scaler.loop.tick()
    expect(await fixture.store.endpoints.listDeleted()).toEqual([])
  }, WAIT)
}

/** The same steps for the same seed. */
function drawSteps(seed: number, count: number): readonly Step[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return STEPS[Math.floor((state / 4_294_967_296) * STEPS.length)] ?? 'quiet'
  })
}
/** Drawn or not, each happens. */
const ALL_STEPS: readonly Step[] = [
  'quiet',
  'crash',
  'update',
  'no first contact',
  'quiet',
  'host away',
  'quiet',
  'quiet',
  'host back',
  'restart',
  'crash',
]

/** Seconds of an endpoint by state, as a gateway on the same Redis answers them. */
async function readUsage({ from, to }: { from: number; to: number }, endpointId: string): Promise<ReadonlyMap<string, number>> {
  const { store } = fixture
  await using gateway = openGateway({ store, config: Config.parse({}), log: createLogger({ name: 'week-test', level: 'silent' }) })
  const app = await buildPublicApp(gateway.deps)
  const { plain } = await store.keys.create({ name: endpointId, ownerId: 'owner' })
  const url = `/runyard/v1/usage?from=${from}&to=${to}&by=endpoint,state`
  const answer = await app.inject({ url, headers: { authorization: `Bearer ${plain}` } })
  await app.close()
  const { usage } = answer.json<UsageView>()
  return new Map(usage.flatMap((line) => (line.endpointId === endpointId ? [[line.state ?? '', line.seconds] as const] : [])))
}

/** The parts of an interval in each UTC day, in ms. */
function daysOf(from: number, to: number): readonly number[] {
  const midnight = from - (from % DAY_MS) + DAY_MS
  return to <= midnight ? [to - from] : [midnight - from, ...daysOf(midnight, to)]
}

function wholeSeconds(rows: readonly LedgerRow[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { state, from, to } of rows) {
    const seconds = daysOf(from, to ?? from).reduce((sum, ms) => sum + Math.ceil(ms / 1000), 0)
    sums.set(state, (sums.get(state) ?? 0) + seconds)
  }
  return sums
}

it('ledger and usage of a week with crashes, updates, lost hosts and restarts are the wall time of each worker', async () => {
  const [reasons, states] = [new Set<string>(), new Set<string>()]
  for (const seed of [1, 2]) {
    const endpointId = `ep-week-${seed}`
    const from = Date.now()
    vi.setSystemTime(from)
    await save(endpointId, 0)
    await liveAWeek(endpointId, [...ALL_STEPS, ...drawSteps(seed, 8)])
    const range = { from, to: Date.now() + 1 }
    const { history } = fixture.store
    const texts = await history.lives((await history.ends({ ...range, count: 1000 })).map(({ id }) => id))
    const lives = texts
      .flatMap((text) => text ?? [])
      .map((text) => WorkerLife.parse(JSON.parse(text)))
      .filter((life) => life.endpointId === endpointId)
    const rows = (await fixture.store.ledger.rows(range)).filter((row) => row.endpointId === endpointId)
    for (const { state } of rows) states.add(state)
    for (const { endReason } of lives) reasons.add(endReason)
    // One that ended in the moment of its placement has no row.
    for (const { id, createdAt, goneAt } of lives.filter((life) => life.goneAt > life.createdAt)) {
      const own = rows.filter(({ workerId }) => workerId === id).toSorted((a, b) => a.from - b.from)
      expect([seed, own[0]?.from, own.at(-1)?.to]).toEqual([seed, createdAt, goneAt])
      for (const [index, row] of own.slice(1).entries()) expect(row.from).toBe(own[index]?.to)
    }
    const wallMs = lives.reduce((sum, { createdAt, goneAt }) => sum + goneAt - createdAt, 0)
    expect(rows.reduce((sum, row) => sum + (row.to ?? Infinity) - row.from, 0)).toBe(wallMs)
    const used = await readUsage(range, endpointId)
    expect(used).toEqual(wholeSeconds(rows))
    // Each interval is rounded up in each day that it touches (ADR 43), and nothing else is added.
    const aboveS = [...used.values()].reduce((sum, seconds) => sum + seconds, 0) - wallMs / 1000
    expect(aboveS).toBeGreaterThanOrEqual(0)
    expect(aboveS).toBeLessThan(rows.reduce((sum, { from: start, to }) => sum + daysOf(start, to ?? start).length, 0))
  }
  expect([...reasons]).toEqual(expect.arrayContaining(['exited', 'outdated', 'host_lost']))
  expect([...states]).toEqual(expect.arrayContaining(['initializing', 'running']))
})
