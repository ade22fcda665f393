import type { PastJob } from '@runyard/core'
import { expect, test } from 'vitest'
import { useStores } from '../testing/test-store.ts'
import { HISTORY_KINDS, type HistoryKind } from './history-kinds.ts'

const stores = useStores()
const MIB = 1024 * 1024
const DAY_MS = 24 * 3_600_000
const open = (history = { bytes: 8 * MIB, days: 7 }) => stores.open({ history })

const job = (id: string, endedAt: number, fields: Partial<PastJob> = {}): PastJob => ({
  id,
  endpointId: 'ep-1',
  status: 'COMPLETED',
  cause: 'result',
  submittedAt: endedAt - 20,
  startedAt: endedAt - 10,
  endedAt,
  retries: 0,
  workerId: 'w1',
  ...fields,
})
const failed = (id: string, endedAt: number): PastJob => job(id, endedAt, { status: 'FAILED', fingerprint: 'f1', error: 'no' })
const all = { from: 0, to: Date.now() + DAY_MS, count: 100 }

test('ended jobs are read in their order, newest first, and from where a reader was', async () => {
  const { history } = await open()
  const now = Date.now()
  for (const [index, id] of ['a1', 'a2', 'a3'].entries()) await history.addJobs([job(id, now + index)], {})
  const idsOf = (chunks: Awaited<ReturnType<typeof history.jobs>>) => chunks.flatMap(({ jobs }) => jobs.map(({ id }) => id))
  const chunks = await history.jobs(all)
  expect(idsOf(chunks)).toEqual(['a1', 'a2', 'a3'])
  expect(idsOf(await history.jobs({ ...all, newestFirst: true, count: 2 }))).toEqual(['a3', 'a2'])
  expect(idsOf(await history.jobs({ ...all, after: chunks[0]?.id }))).toEqual(['a2', 'a3'])
  expect(idsOf(await history.jobs({ ...all, newestFirst: true, after: chunks[2]?.id }))).toEqual(['a2', 'a1'])
  expect(idsOf(await history.jobs({ ...all, from: now + 1, to: now + 1 }))).toEqual(['a2'])
})

test('failures are there twice: among the jobs, and with their error; workers count what they ended', async () => {
  const { history } = await open()
  const now = Date.now()
  await history.addJobs([job('a1', now), failed('a2', now), failed('a3', now + 1), job('a4', now, { workerId: 'w2' })], {
    f1: 'no\nand why',
  })
  expect((await history.jobs(all))[0]?.jobs).toHaveLength(4)
  expect((await history.failures(all))[0]?.failures.map(({ id, text }) => `${id} ${text}`)).toEqual(['a2 no\nand why', 'a3 no\nand why'])
  expect(await history.jobCounts(['w1', 'w2', 'w3'])).toEqual([
    { jobs: 3, failed: 2 },
    { jobs: 1, failed: 0 },
    { jobs: 0, failed: 0 },
  ])
})

test('a clock that goes back does not lose jobs', async () => {
  const { history } = await open()
  const now = Date.now()
  await history.addJobs([job('a1', now)], {})
  await history.addJobs([job('a2', now - 60_000)], {})
  expect((await history.jobs(all)).flatMap(({ jobs }) => jobs.map(({ id }) => id))).toEqual(['a1', 'a2'])
})

test('lives of workers are found by id and by time, and are replaced by themselves', async () => {
  const { history } = await open()
  const now = Date.now()
  await history.addLife('w1', '{"n":1}', now - 10)
  await history.addLife('w1', '{"n":2}', now - 10)
  await history.addLife('w2', '{"n":3}', now)
  expect(await history.life('w1')).toBe('{"n":2}')
  expect(await history.life('w9')).toBeUndefined()
  expect(await history.ends(all)).toEqual([
    { id: 'w2', at: now },
    { id: 'w1', at: now - 10 },
  ])
  expect(await history.lives(['w1', 'w9', 'w2'])).toEqual(['{"n":2}', undefined, '{"n":3}'])
  expect((await history.bytes()).lives).toBe(2 * (7 + 120))
})

const KINDS = Object.keys(HISTORY_KINDS) as HistoryKind[]
type History = Awaited<ReturnType<typeof open>>['history']
/** Jobs and failures are kept in the same way, whatever is in their chunks. */
const addOne = async (history: History, kind: HistoryKind, { at, bytes }: { readonly at: number; readonly bytes: number }) =>
  kind === 'lives'
    ? history.addLife(`w${at}`, 'x'.repeat(bytes), at)
    : history.add(kind as Parameters<History['add']>[0], new Uint8Array(bytes), at)
const countOf = async (history: History, kind: HistoryKind) =>
  (kind === 'lives' ? await history.ends({ ...all, count: 10_000 }) : await history.chunks(kind, { ...all, count: 10_000 })).length
const sumOf = async (history: History) => Object.values(await history.bytes()).reduce((sum, own) => sum + own, 0)

test.each(KINDS)('%s that are older than their days go with the next one, younger ones stay', async (kind) => {
  const { history } = await open({ bytes: 8 * MIB, days: 3 })
  const now = Date.now()
  const facts = HISTORY_KINDS[kind]
  const keepMs = 'keepMs' in facts ? facts.keepMs : 3 * DAY_MS
  for (const age of [keepMs + 60_000, keepMs - 60_000, 0]) await addOne(history, kind, { at: now - age, bytes: 10 })
  expect(await countOf(history, kind)).toBe(2)
})

test.each(KINDS)('%s alone may have all bytes and no more, however many come', async (kind) => {
  const most = 100_000
  const { history } = await open({ bytes: most, days: 7 })
  const now = Date.now()
  for (let index = 0; index < 60; index += 1) {
    await addOne(history, kind, { at: now + index, bytes: 5000 })
    expect(await sumOf(history)).toBeLessThanOrEqual(most)
  }
  expect(await countOf(history, kind)).toBeGreaterThan(15)
})

test('kinds that all grow share the bytes as they should', async () => {
  const most = 640_000
  const { history } = await open({ bytes: most, days: 7 })
  const now = Date.now()
  for (let index = 0; index < 160; index += 1) for (const kind of KINDS) await addOne(history, kind, { at: now + index, bytes: 2000 })
  const bytes: Readonly<Record<string, number>> = await history.bytes()
  expect(await sumOf(history)).toBeLessThanOrEqual(most)
  for (const kind of KINDS) expect([kind, (bytes[kind] ?? 0) / most]).toEqual([kind, expect.closeTo(HISTORY_KINDS[kind].share, 1)])
})

test('beyond its bytes the oldest of the kind goes that exceeds its share most, and the others stay', async () => {
  const { history } = await open({ bytes: 200_000, days: 7 })
  const now = Date.now()
  await history.addLife('w1', '{}', now)
  await history.addJobs([failed('a1', now)], { f1: 'no' })
  // Samples may have 1/16 of it; they fill all.
  for (let index = 0; index < 60; index += 1) await history.add('samples', new Uint8Array(5000).fill(index), now + index)
  const bytes = await history.bytes()
  expect(Object.values(bytes).reduce((sum, own) => sum + own)).toBeLessThanOrEqual(200_000)
  const samples = await history.chunks('samples', { ...all, count: 1000 })
  expect(samples.length).toBeGreaterThan(30)
  expect(samples.at(-1)?.bytes[0]).toBe(59)
  expect(await history.life('w1')).toBe('{}')
  expect(await history.failures(all)).toHaveLength(1)
})

test('a range may begin before all times and end after them', async () => {
  const { history } = await open()
  await history.addJobs([job('a1', Date.now())], {})
  expect(await history.jobs({ from: -8.64e15, to: 8.64e21, count: 1 })).toHaveLength(1)
  expect(await history.jobs({ from: -2, to: -1, count: 1 })).toEqual([])
  expect(await history.ends({ from: -8.64e15, to: -1, count: 1 })).toEqual([])
})

test('nothing is written where it is switched off', async () => {
  const { history } = await open({ bytes: 0, days: 7 })
  await history.addJobs([failed('a1', Date.now())], { f1: 'no' })
  await history.addLife('w1', '{}', Date.now())
  await history.add('hours', new Uint8Array([1]), Date.now())
  expect(history.isKept).toBe(false)
  expect(await history.jobs(all)).toEqual([])
  expect(await stores.raw().keys(`${stores.prefix()}:*history*`)).toEqual([])
})

test('every key of the history expires by itself', async () => {
  const { history } = await open()
  await history.addJobs([failed('a1', Date.now())], { f1: 'no' })
  await history.addLife('w1', '{}', Date.now())
  const raw = stores.raw()
  const keys = await raw.keys(`${stores.prefix()}:*history*`)
  expect(keys.length).toBe(6)
  for (const key of keys) expect(await raw.pttl(key)).toBeGreaterThan(7 * DAY_MS)
})
