// The pool, its timeline and its numbers, from what a scaler has written.
import { packNumbers, packSamples, NO_NUMBERS, numbersOf } from '@runyard/core'
import type { HostSight, WorkerLife } from '@runyard/schema'
import type { PoolView, SeriesView, TimelineView } from '@runyard/schema/api'
import { beforeEach, expect, it } from 'vitest'
import type { TestGateway, TestWorker } from '../testing/gateway.ts'
import { useGateway } from '../testing/use-gateway.ts'

const UUID = 'GPU-6f9619ff-8b86-4011-b42d-00cf4fc964ff'
const OTHER = 'GPU-7f9619ff-8b86-4011-b42d-00cf4fc964ff'
const MINUTE = 60_000
const NOW = Date.now() - (Date.now() % MINUTE)
const HOUR = 60 * MINUTE
const START = NOW - 10 * MINUTE
let gateway: TestGateway
let ep: string
let worker: TestWorker
useGateway({}, (site) => {
  ;({ gateway, ep, worker } = site)
})

const get = <T>(path: string) => gateway.read<T>(`/runyard/v1/${path}`)
const gpu = (uuid: string) => ({ uuid, name: 'NVIDIA L4', memoryBytes: 1000, simulated: false, healthy: true })
const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
const inventory = {
  hostId: 'h1',
  kind: 'docker',
  capabilities,
  cpuCount: 8,
  memoryBytes: 64,
  gpus: [gpu(UUID), gpu(OTHER)],
  cudaVersion: null,
} as const
const life = (id: string): WorkerLife => ({
  id,
  endpointId: ep,
  hostId: 'h1',
  host: 'box',
  endpointVersion: 1,
  image: 'i',
  gpus: [{ uuid: UUID, name: 'NVIDIA L4', simulated: false }],
  startReason: 'first_job',
  createdAt: START + MINUTE,
  readyAt: START + 2 * MINUTE,
  drainingSince: START + 8 * MINUTE,
  goneAt: START + 9 * MINUTE,
  endReason: 'idle_timeout',
  message: 'it was idle',
})

beforeEach(async () => {
  const { store } = gateway
  const claims = { [OTHER]: worker.id, [UUID]: null }
  const sight: HostSight = {
    health: 'ready',
    label: 'box',
    kind: 'docker',
    at: NOW,
    inventory: { ...inventory, gpus: [...inventory.gpus] },
    claims,
  }
  await store.hosts.putSight('h1', sight)
  const values = ['box', '0', UUID]
  const metrics = {
    runyard_gpu_utilization_ratio: 0.5,
    runyard_gpu_memory_used_bytes: 250,
    runyard_gpu_power_watts: 70,
    runyard_gpu_power_limit_watts: 140,
  }
  const report = Object.entries(metrics).map(([name, value]) => [name, [{ values, reading: { value } }]])
  await store.scalerReport.put({ at: NOW, metrics: Object.fromEntries(report) })
})

it('shows hosts and cards with what holds them, what is wrong with them and what they do', async () => {
  const claim = { kind: 'quarantined' as const, since: START, quarantines: [], cause: 'lost' as const, message: 'it fell off the bus' }
  const card = (await gateway.store.cards.list()).find(({ uuid }) => uuid === UUID)
  await gateway.store.cards.putClaim(card ?? { uuid: UUID, claimText: '' }, claim)
  const { hosts, scalerAt } = await get<PoolView>('pool')
  expect(scalerAt).toBe(NOW)
  expect(hosts).toMatchObject([{ id: 'h1', label: 'box', health: 'ready', cpus: 8, standby: 0 }])
  const [first, second] = hosts[0]?.gpus ?? []
  expect(first).toMatchObject({
    uuid: UUID,
    index: 0,
    outOfUse: { kind: 'quarantined', since: START, cause: 'lost', message: 'it fell off the bus' },
    holders: [{ workerId: null, endpoint: null }],
    sample: { at: NOW, load: 0.5, memory: 0.25, powerW: 70, temperatureC: null },
  })
  expect(second?.holders).toEqual([{ workerId: worker.id, endpoint: { id: ep, name: ep } }])
  expect(second).not.toHaveProperty('sample')
})

it('draws what a card did: the phases of its workers, jobs over them, failures, load, and when it was out of use', async () => {
  const { store } = gateway
  const id = `w${ep}`
  await store.history.addLife(id, JSON.stringify(life(id)), START + 9 * MINUTE)
  const ran = (from: number, to: number) => ({ startedAt: START + from * MINUTE, submittedAt: START, endedAt: START + to * MINUTE })
  const job = { endpointId: ep, workerId: id, cause: 'result', retries: 0 } as const
  await store.history.addJobs([{ ...job, id: `a1${ep}`, status: 'COMPLETED', ...ran(3, 5) }], {})
  await store.history.addJobs([{ ...job, id: `a2${ep}`, status: 'FAILED', ...ran(6.1, 6.2) }], {})
  const reading = { load: 1, memory: 0.5, powerW: 70, temperatureC: null }
  const cards = new Map([[UUID, [reading]]])
  await store.history.add('samples', packSamples({ at: START + 3 * MINUTE, stepMs: MINUTE, cards }), START + 3 * MINUTE)
  await store.history.add('cardChanges', Buffer.from(JSON.stringify({ cards: [], hosts: ['h1'] })), NOW - MINUTE)
  await store.history.add('cardChanges', Buffer.from(JSON.stringify({ cards: [], hosts: [] })), NOW)
  const query = `timeline?from=${START}&to=${NOW}&px=10&endpoint=${ep}`
  const { level, lanes, absences, isComplete } = await get<TimelineView>(query)
  expect({ level, isComplete }).toEqual({ level: 'near', isComplete: true })
  const lane = lanes.find(({ uuid }) => uuid === UUID)
  expect(lane).toMatchObject({
    host: 'box',
    name: 'NVIDIA L4',
    group: 'box',
    // Nothing was recorded before its worker.
    phases: 'usibbiiidu',
    load: '---z------',
    memory: '---i------',
    power: '---i------',
    index: 0,
    failed: [6],
  })
  expect(lane?.workers).toMatchObject([
    { id, endpoint: { id: ep, name: ep }, startReason: 'first_job', endReason: 'idle_timeout', phases: [{ phase: 'starting' }, {}, {}] },
  ])
  expect(lane?.jobs?.map(({ status }) => status).toSorted()).toEqual(['COMPLETED', 'FAILED'])
  expect(absences).toEqual([
    { hostId: 'h1', cause: 'not_recorded', from: START, to: START + MINUTE },
    { hostId: 'h1', cause: 'host_away', from: NOW - MINUTE, to: NOW },
  ])
  const ofCard = await get<TimelineView>(`${query}&gpu=${UUID}`)
  expect(ofCard.lanes).toEqual([lane])
  const fewJobs = await get<TimelineView>(`${query}&mostJobs=1`)
  expect(fewJobs.level).not.toBe('near')
  expect(fewJobs.lanes.filter(({ jobs }) => jobs !== undefined)).toEqual([])
  const byEndpoint = await get<TimelineView>(`${query}&group=endpoint`)
  expect(byEndpoint.lanes.find(({ uuid }) => uuid === UUID)?.group).toBe(ep)
  const { plain } = await gateway.store.keys.create({ name: 'stranger', ownerId: 'stranger' })
  const stranger = await gateway.call(`/runyard/v1/timeline?from=${START}&to=${NOW}&px=10`, {
    headers: { authorization: `Bearer ${plain}` },
  })
  const own = stranger.as<TimelineView>().lanes.find(({ uuid }) => uuid === UUID)
  expect(own).toMatchObject({ workers: [], jobs: [], group: 'box' })
})

it('compresses a large timeline for who accepts it', async () => {
  const path = `/runyard/v1/timeline?from=${START}&to=${NOW}&px=4000`
  const ask = async (encoding: string) => (await gateway.call(path, { headers: { 'accept-encoding': encoding } })).headers
  expect((await ask('gzip')).get('content-encoding')).toBe('gzip')
  expect((await ask('identity')).get('content-encoding')).toBeNull()
})

it('reads numbers of an endpoint, and readings of a card, step by step', async () => {
  const { store } = gateway
  const job = { id: 'j', endpointId: ep, cause: 'result', retries: 0, submittedAt: 0 } as const
  const ended = numbersOf({ ...job, status: 'COMPLETED', startedAt: 100, endedAt: 1100 })
  for (const [minute, queue] of [3, 9].entries()) {
    const rows = new Map([
      [ep, { ...ended, queue }],
      ['of-another', { ...NO_NUMBERS, completed: 50 }],
    ])
    await store.history.add('minutes', packNumbers(START + minute * MINUTE, rows), START + minute * MINUTE)
  }
  const { stepMs, points, total } = await get<SeriesView>(`series?endpoint=${ep}&from=${START}&to=${NOW}`)
  expect(total).toMatchObject({ completed: 2, queue: 9, runP50: points[0]?.runP50 })
  expect(stepMs).toBe(MINUTE)
  expect(points).toMatchObject([
    { at: START, completed: 1, queue: 3, runP50: expect.any(Number) },
    { at: START + MINUTE, completed: 1, queue: 9 },
  ])
  const rough = await get<SeriesView>(`series?endpoint=${ep}&from=${START}&to=${NOW}&points=1`)
  expect(rough.points.reduce((sum, { completed }) => sum + completed, 0)).toBe(2)
  expect(Math.max(...rough.points.map(({ queue }) => queue))).toBe(9)
  const old = START - (START % HOUR) - 60 * HOUR
  await store.history.add('hours', packNumbers(old, new Map([[ep, ended]])), old)
  const long = await get<SeriesView>(`series?endpoint=${ep}&from=${old}&to=${NOW}`)
  expect(long.stepMs).toBe(HOUR)
  expect(long.points.reduce((sum, { completed }) => sum + completed, 0)).toBe(3)
  const reading = (load: number) => ({ load, memory: null, powerW: 50, temperatureC: 40 })
  const cards = new Map([[OTHER, [reading(0.2), null, reading(0.4)]]])
  const later = START + 5 * MINUTE
  await store.history.add('samples', packSamples({ at: later, stepMs: 10_000, cards }), later)
  const card = await get<SeriesView>(`series?gpu=${OTHER}&from=${START}&to=${NOW}`)
  expect(card.samples.map(({ at, load }) => [at - later, load])).toEqual([
    [0, 0.2],
    [20_000, 0.4],
  ])
  expect((await gateway.call(`/runyard/v1/series?from=${NOW}&to=${START}`)).status).toBe(400)
})
