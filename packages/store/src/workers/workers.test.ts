// Worker records, worker logs, events, the scaler's status.
import { workerRecord } from '@runyard/testing/records'
import { describe, expect, test, vi } from 'vitest'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()
const EP = 'ep-1'
const exit = { at: 5, exitCode: 137, oomKilled: true, lastLogLines: ['bye'] }

describe('workers', () => {
  test('a record is kept as it was written and patched', async () => {
    const { workers } = await stores.open()
    const record = workerRecord('w1', { gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', simulated: true }] })
    await workers.create(record)
    expect(await workers.get(EP, 'w1')).toEqual(record)
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { readyAt: 7, unhealthyReason: 'no "cuda"', refreshRequested: true } })
    expect(await workers.list(EP)).toEqual([{ ...record, readyAt: 7, unhealthyReason: 'no "cuda"', refreshRequested: true }])
  })

  test('a patch does not bring a removed worker back', async () => {
    const { workers } = await stores.open()
    await workers.create(workerRecord('w1'))
    await workers.remove(EP, 'w1', exit)
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { lastSeenAt: 9 } })
    expect(await workers.get(EP, 'w1')).toBeUndefined()
    expect(await workers.list(EP)).toEqual([])
  })

  test('of two that set the same field for the first time, one does', async () => {
    const [one, two] = [await stores.open(), await stores.open()]
    await one.workers.create(workerRecord('w1'))
    const write = (store: typeof one, at: number) =>
      store.workers.patch({ endpointId: EP, workerId: 'w1', fields: { readyAt: at, lastSeenAt: at }, unless: 'readyAt' })
    const written = await Promise.all([write(one, 1), write(two, 2)])
    expect(written.filter(Boolean)).toHaveLength(1)
    expect(await one.workers.patch({ endpointId: EP, workerId: 'no-such', fields: { readyAt: 1 }, unless: 'readyAt' })).toBe(false)
  })

  test('a removed worker’s last facts are kept for the evidence', async () => {
    const { workers } = await stores.open()
    expect(await workers.getGone('w1')).toBeUndefined()
    await workers.create(workerRecord('w1'))
    await workers.remove(EP, 'w1', exit)
    await workers.remove(EP, 'w1', undefined)
    expect(await workers.getGone('w1')).toEqual({ record: workerRecord('w1'), exit })
    await workers.create(workerRecord('w2'))
    await workers.remove(EP, 'w2', undefined)
    expect((await workers.getGone('w2'))?.exit).toBeUndefined()
  })

  test('changes are published, except quiet ones and those of unknown workers', async () => {
    const store = await stores.open()
    const { workers } = store
    const heard = stores.listen(store)
    await workers.create(workerRecord('w1'))
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { lastSeenAt: 1 }, quiet: true })
    await workers.patch({ endpointId: EP, workerId: 'w2', fields: { lastSeenAt: 1 } })
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: {} })
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { drainingSince: 1 } })
    await workers.remove(EP, 'w1', undefined)
    expect(heard).toEqual(Array.from({ length: 3 }, () => ({ kind: 'worker-changed', endpointId: EP, workerId: 'w1' })))
  })
})

describe('history', () => {
  test('a worker log is bounded by bytes as well as by lines, and a long line is cut', async () => {
    const { workerLogs } = await stores.open()
    for (let at = 0; at < 10; at += 1)
      await workerLogs.append(
        'w1',
        'container',
        Array.from({ length: 40 }, (_, index) => ({ at: at * 40 + index, line: 'x'.repeat(20_000) })),
      )
    const kept = await workerLogs.read('w1', 'container', 1000)
    expect(kept.length).toBeLessThan((2 * 1024 * 1024) / 16_384)
    expect(kept.length).toBeGreaterThan(100)
    expect(kept.at(-1)).toEqual({ at: 399, line: `${'x'.repeat(16_384)}… 3616 characters more` })
  })

  test('a reader of a worker log gets what is new, by the number of lines that it has had', async () => {
    const { workerLogs } = await stores.open()
    const write = (from: number, to: number) =>
      workerLogs.append(
        'w1',
        'container',
        Array.from({ length: to - from }, (_, index) => ({ at: from + index, line: `${from + index}` })),
      )
    const look = async (had: number | undefined) => {
      const { ever, lines } = await workerLogs.readAfter('w1', 'container', had)
      return [ever, lines.length, lines[0]?.number, lines.at(-1)?.line]
    }
    expect(await look(undefined)).toEqual([0, 0, undefined, undefined])
    await write(0, 900)
    expect(await look(890)).toEqual([900, 10, 891, '899'])
    expect(await look(900)).toEqual([900, 0, undefined, undefined])
    await write(900, 1500)
    expect(await look(undefined)).toEqual([1500, 1000, 501, '1499'])
    expect(await look(10)).toEqual([1500, 1000, 501, '1499'])
    // The log was lost with its Redis, and started again.
    expect(await look(9000)).toEqual([1500, 1000, 501, '1499'])
  })

  test('lines are announced only while somebody follows the worker', async () => {
    const [writer, reader] = await Promise.all([stores.open(), stores.open()])
    const heard = stores.listen(reader)
    await writer.workerLogs.append('w1', 'container', [{ at: 1, line: 'unheard' }])
    await reader.workerLogs.follow('w1', 60_000)
    await writer.workerLogs.append('w1', 'container', [{ at: 2, line: 'heard' }])
    await vi.waitUntil(() => heard.length > 0)
    expect(heard).toEqual([{ kind: 'worker-logged', workerId: 'w1' }])
  })

  test('worker logs keep their newest thousand lines', async () => {
    const { workerLogs } = await stores.open()
    expect(await workerLogs.read('w1', 'container', 10)).toEqual([])
    const lines = Array.from({ length: 1500 }, (_, n) => ({ at: n + 0.25, line: `line ${n} "é"` }))
    await workerLogs.append('w1', 'container', lines.slice(0, 700))
    await workerLogs.append('w1', 'container', lines.slice(700))
    await workerLogs.append('w1', 'system', [{ at: 1, line: 'placed' }])
    await workerLogs.append('w1', 'system', [])
    expect(await workerLogs.read('w1', 'container', 5000)).toEqual(lines.slice(500))
    expect(await workerLogs.read('w1', 'container', 2)).toEqual(lines.slice(-2))
    expect(await workerLogs.read('w1', 'container', 0)).toEqual([])
    expect(await workerLogs.read('w1', 'system', 10)).toEqual([{ at: 1, line: 'placed' }])
    const left = await stores.raw().ttl(`${stores.prefix()}:log:{w1}:container`)
    expect(left).toBeGreaterThan(0)
  })

  test('events are listed oldest first, the newest of them, at most a thousand', async () => {
    const { events } = await stores.open()
    await Promise.all(Array.from({ length: 1010 }, (_, at) => events.append({ at, endpointId: EP, kind: 'job_queued', jobId: `j${at}` })))
    const listed = await events.list(EP, 5000)
    expect(listed).toHaveLength(1000)
    expect(listed[0]?.at).toBe(10)
    expect((await events.list(EP, 2)).map(({ at }) => at)).toEqual([1008, 1009])
    expect(await events.list('ep-2', 10)).toEqual([])
  })

  test('the scaler’s last word replaces the one before', async () => {
    const { status } = await stores.open()
    expect(await status.get(EP)).toBeUndefined()
    await status.put(EP, { at: 1, throttled: 2, reason: 'gpus_busy', message: 'all busy', unhealthy: 0 })
    await status.put(EP, { at: 2, throttled: 0, reason: undefined, message: undefined, unhealthy: 1 })
    expect(await status.get(EP)).toEqual({ at: 2, throttled: 0, reason: undefined, message: undefined, unhealthy: 1 })
  })
})
